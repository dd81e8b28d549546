/** When which driving command goes out. Pure: time is an argument, the transport is handed in. */

import type { Point } from "../api.js";

export interface Frame {
  readonly seq: number;
  /** `release` stops what this session moved, `stop` stops whoever drives. */
  readonly value: Point | "release" | "stop";
  readonly token: string | null;
  readonly priority: number;
}

/** `stalled`: older frames still wait in the browser, so it was not sent; `lost`: there is no connection. */
export type Sending = "sent" | "stalled" | "lost";

export interface Transport {
  send(frame: Frame): Sending;
  /** Ask for a token of now; the answer comes as an event. */
  askToken(): void;
}

export interface Pace {
  readonly rate_hz: number;
  readonly deadman_s: number;
  /** How old a token may be; null where none is needed. */
  readonly max_age_s: number | null;
}

export const RATE_HZ = 10;
/** The component drops what comes faster. */
export const MAX_RATE_HZ = 50;
const PER_DEADMAN = 5;
const NEARLY_DUE = 7 / 8;
const REMEMBERED = 64;
const ROUND_TRIPS = 20;

/** How long between two commands (ms): at the wished rate, but at least five per dead-man. */
export function period_ms({ rate_hz, deadman_s }: Pace): number {
  const rate = Math.max(rate_hz, PER_DEADMAN / deadman_s);
  return 1000 / Math.min(MAX_RATE_HZ, Math.max(1, rate));
}

export class Sender {
  /** What the last try to send met. */
  last: Sending = "sent";
  priority = 0;
  /** The number of the newest command. */
  seq = 0;

  private value: Point | null = null;
  private sent_ms = -Infinity;
  private told_ms = -Infinity;
  private waiting_ms: number | null = null;
  private pressed_ms = 0;
  private token: string | null = null;
  private token_ms = -Infinity;
  private asked_ms = -Infinity;
  private moved = false;
  /** What was sent up to here moves nothing any more. */
  private rested_seq = 0;
  private readonly sent = new Map<number, number>();
  private readonly trips: number[] = [];

  constructor(
    private readonly transport: Transport,
    public pace: Pace,
  ) {}

  get driving(): boolean {
    return this.value !== null;
  }

  /** Drive like this from now on: the first command at once, the next at the steady rate, the newest value wins. */
  drive(value: Point, now: number): void {
    if (this.value === null) this.pressed_ms = now;
    this.value = value;
    this.tick(now);
  }

  /** Send what is due. */
  tick(now: number): void {
    // Timers jitter: what is nearly due goes now, or it would wait for the next beat.
    if (this.value === null || now - this.sent_ms < period_ms(this.pace) * NEARLY_DUE) return;
    this.freshen(now);
    if (!this.mayWaitForToken(now)) this.put(this.value, now);
  }

  /** Stop at once, if we moved anything; nothing follows until the next `drive`. */
  stop(now: number): void {
    const { moved } = this;
    this.cease();
    if (moved) this.rest("release", now);
  }

  /** Stop at once, whoever drives. */
  halt(now: number): void {
    this.cease();
    this.rest("stop", now);
  }

  /** Fall silent: another drives now, and a stop of ours would end that. */
  cease(): void {
    this.value = null;
    this.moved = false;
    this.waiting_ms = null;
  }

  /** A token came; its age counts from when we asked, or sent the command that it answers. */
  tokenCame(token: string, seq: number | null, now: number): void {
    const since = (seq === null ? this.asked_ms : this.sent.get(seq)) ?? now;
    const issued = since === -Infinity ? now : since;
    if (issued < this.token_ms) return;
    this.token = token;
    this.token_ms = issued;
    this.tick(now);
  }

  /** A command was refused as stale: its token is of no use. */
  stale(): void {
    this.token_ms = -Infinity;
  }

  /** An answer came; tells how long it took (ms), or null where nobody asked. */
  answered(seq: number, accepted: boolean, now: number): number | null {
    const sent = this.sent.get(seq);
    if (sent === undefined) return null;
    this.sent.delete(seq);
    this.waiting_ms = null;
    if (accepted && seq > this.rested_seq && sent > this.told_ms) this.told_ms = sent;
    this.trips.push(now - sent);
    if (this.trips.length > ROUND_TRIPS) this.trips.shift();
    return now - sent;
  }

  /** The median of the last answers' round trips (ms). */
  roundTrip(): number | null {
    const sorted = [...this.trips].sort((a, b) => a - b);
    return sorted[Math.floor((sorted.length - 1) / 2)] ?? null;
  }

  /** How long we drive without any answer (ms). */
  silence(now: number): number {
    return this.waiting_ms === null ? 0 : now - this.waiting_ms;
  }

  /** What share of the dead-man is left since the last driving command that was accepted: 0 means stopped. */
  deadmanLeft(now: number): number {
    const since = now - this.told_ms;
    return Math.min(1, Math.max(0, 1 - since / (this.pace.deadman_s * 1000)));
  }

  /** While the pad is in use a fresh token is kept, so that the first command need not wait for one. */
  freshen(now: number): void {
    const half = ((this.pace.max_age_s ?? 0) * 1000) / 2;
    if (half <= 0 || now - this.token_ms < half || now - this.asked_ms < half) return;
    this.asked_ms = now;
    this.transport.askToken();
  }

  /** A command with a token too old would be refused: wait for the new one, but not longer than its age may be. */
  private mayWaitForToken(now: number): boolean {
    const { max_age_s: max } = this.pace;
    return max !== null && now - this.token_ms >= max * 1000 && now - this.pressed_ms < max * 1000;
  }

  private rest(value: "release" | "stop", now: number): void {
    this.told_ms = -Infinity;
    this.put(value, now);
    this.rested_seq = this.seq;
  }

  private put(value: Frame["value"], now: number): void {
    const frame = { seq: this.seq + 1, value, token: this.token, priority: this.priority };
    this.last = this.transport.send(frame);
    if (this.last !== "sent") return;
    this.seq = frame.seq;
    this.sent_ms = now;
    if (typeof value === "object") {
      this.moved = true;
      this.waiting_ms ??= now;
    }
    this.sent.set(frame.seq, now);
    for (const seq of this.sent.keys()) {
      if (this.sent.size <= REMEMBERED) break;
      this.sent.delete(seq);
    }
  }
}
