/** A search for Pis: five seconds, with its progress and what it found. */

import { search, type SearchEvent } from "../api.js";
import type { Connection } from "../hass.js";

export const SEARCH_S = 5;

export type Sighting = NonNullable<SearchEvent["found"]>;

export class Searching {
  progress = 0;
  done = false;
  error: unknown = null;
  private readonly sightings = new Map<string, Sighting>();
  private close: (() => unknown) | null = null;
  private ended = false;

  constructor(private readonly changed: () => void) {}

  /** What was found, what is new first. */
  get found(): Sighting[] {
    return [...this.sightings.values()].sort((a, b) => Number(b.new) - Number(a.new) || a.name.localeCompare(b.name));
  }

  async start(connection: Connection): Promise<void> {
    try {
      const close = await search(connection, SEARCH_S, (event) => { this.heard(event); });
      if (this.ended) void close();
      else this.close = close;
    } catch (error) {
      this.error = error;
      this.done = true;
      this.changed();
    }
  }

  end(): void {
    this.ended = true;
    void this.close?.();
    this.close = null;
  }

  heard(event: SearchEvent): void {
    if (this.ended) return;
    if (event.progress !== undefined) this.progress = event.progress;
    if (event.found) this.add(event.found);
    if (event.done) {
      this.done = true;
      this.end();
    }
    this.changed();
  }

  /** One node may be heard over MQTT and by mDNS. */
  private add(sighting: Sighting): void {
    const key = sighting.node ?? `${sighting.name} ${sighting.address ?? ""}`;
    const before = this.sightings.get(key);
    this.sightings.set(key, before ? { ...sighting, ...before, address: before.address ?? sighting.address } : sighting);
  }
}
