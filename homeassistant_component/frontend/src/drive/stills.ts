/** Asks a camera for fresh stills while somebody looks at it: nobody should drive by an old picture. */

import { takeSnapshot, type Answer } from "../api.js";
import type { Connection } from "../hass.js";

/** Asked for so often (ms). */
export const STILL_MS = { driving: 1000, idle: 5000 };

/** What somebody looks at. */
export interface Look {
  readonly connection: Connection;
  /** The camera that takes a still on request; null where none can be asked. */
  readonly camera: string | null;
  /** When its still was taken (ISO); null where that is not known. */
  readonly taken: string | null;
  /** Whether the picture is to be seen. */
  readonly seen: boolean;
  readonly driving: boolean;
}

export class Stills {
  private connection: Connection | null = null;
  private camera: string | null = null;
  private seen = false;
  private asking = false;
  /** It was refused; another camera, or this one after it was away, may be asked again. */
  private refused = false;
  private asked_ms = -Infinity;

  /** Ask where a still is due. `now_ms` is the time of day, as `taken` is; called again and again. */
  look({ connection, camera, taken, seen, driving }: Look, now_ms: number): void {
    if (connection !== this.connection || camera !== this.camera) this.turn(connection, camera);
    if (seen && !this.seen) this.begin(taken, now_ms);
    this.seen = seen;
    if (!seen || camera === null || this.asking || this.refused) return;
    // a clock that was set back must not end it
    if (Math.abs(now_ms - this.asked_ms) < (driving ? STILL_MS.driving : STILL_MS.idle)) return;
    this.asked_ms = now_ms;
    void this.ask(connection, camera);
  }

  private turn(connection: Connection, camera: string | null): void {
    this.connection = connection;
    this.camera = camera;
    this.seen = this.refused = false;
    this.asked_ms = -Infinity;
  }

  /** A still that is young counts as one that was asked for. */
  private begin(taken: string | null, now_ms: number): void {
    const taken_ms = Date.parse(taken ?? "");
    if (taken_ms <= now_ms) this.asked_ms = Math.max(this.asked_ms, taken_ms);
  }

  private async ask(connection: Connection, camera: string): Promise<void> {
    this.asking = true;
    const refused = await takeSnapshot(connection, camera).then(isRefusal).catch(() => true);
    this.asking = false;
    if (connection === this.connection && camera === this.camera) this.refused = refused;
  }
}

/** No answer is none: the next one may come. */
const isRefusal = ({ outcome }: Answer): boolean => outcome !== "accepted" && outcome !== "unanswered";
