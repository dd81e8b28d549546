/** One car under the user's hands: inputs, sender and session put together; the card only shows it. */

import type { Refused } from "../answer-words.js";
import type { Answer, Code, DriveEvent, Point, Told } from "../api.js";
import type { Connection, HassError } from "../hass.js";
import type { Standing } from "./holder.js";
import { Inputs } from "./inputs.js";
import { period_ms, RATE_HZ, Sender } from "./sender.js";
import { ENDED, Session } from "./session.js";
import { isStill, limited, STILL } from "./stick.js";
import { onLeaving } from "./stop-signals.js";
import { answered, begin, type TakeOver } from "./take-over.js";

export interface DrivingOptions {
  readonly connection: Connection;
  readonly entityId: string;
  readonly rate_hz: number | null;
  readonly deadman_s: number;
  readonly keyboard: boolean;
  readonly gamepad: boolean;
  /** Whether the card is to be seen. */
  readonly seen: () => boolean;
  /** Whether a press may send anything now. */
  readonly allowed: () => boolean;
  /** Where several may drive, another holder takes nothing away. */
  readonly shared: () => boolean;
  readonly changed: () => void;
  /** A drive was under way when its session ended, and why. */
  readonly interrupted: (error: HassError) => void;
}

/** What the car, or the component for it, said no to. */
export interface Refusal extends Refused {
  readonly code: Code | "unanswered";
}

/** Refusals that a fresh token, a heartbeat or the next answer heals: keep on asking. */
const PASSING = new Set<string>(["stale", "token", "not_armed", "unanswered"]);
/** A take-over that nobody answers is given up (ms). */
const GIVE_UP_MS = 2000;
const TOLD = 5;

const FRESH: Standing = {
  owner: null, holder: undefined, mine: false, moving: false, connected: false, forbidden: false, refusal: null, refused_ms: -Infinity,
};

export class Driving {
  refusal: Refusal | null = null;
  error: HassError | null = null;
  takeOver: TakeOver = { step: "none" };
  told: readonly Told[] = [];
  readonly inputs: Inputs;
  readonly sender: Sender;
  private known: Standing = FRESH;
  private readonly session: Session;
  private timer: ReturnType<typeof setInterval> | undefined;
  private ends: (() => void) | null = null;
  private asked_ms = 0;
  private pointed: Point = STILL;
  private limit_pct = 100;

  constructor(private readonly options: DrivingOptions) {
    const pace = { rate_hz: options.rate_hz ?? RATE_HZ, deadman_s: options.deadman_s, max_age_s: null };
    this.session = new Session(options.connection, options.entityId, {
      opened: (event) => { this.opened(event); },
      heard: (event) => { this.heard(event); },
      refused: (error) => { this.misunderstood(error); },
      lost: (error) => { this.lost(error); },
    });
    this.sender = new Sender(this.session, pace);
    this.inputs = new Inputs(
      { point: (point) => { this.point(point); }, release: () => { this.stop(); }, use: () => { this.run(); } },
      options,
    );
  }

  get standing(): Standing {
    return { ...this.known, moving: this.sender.deadmanLeft(performance.now()) > 0 };
  }

  /** The speed limit; what is driven follows at once, though the stick is held still. */
  set limitPct(pct: number) {
    if (pct === this.limit_pct) return;
    this.limit_pct = pct;
    if (this.sender.driving) this.sender.drive(this.value, performance.now());
  }

  /** How fast the car is told to drive (%). */
  get speedPct(): number {
    return this.sender.driving ? Math.round(100 * Math.hypot(this.value.x, this.value.y)) : 0;
  }

  private get value(): Point {
    return limited(this.pointed, this.limit_pct);
  }

  start(): void {
    this.inputs.start();
    this.ends = onLeaving(() => { this.stop(); });
    this.session.start();
  }

  /** Stop what we moved and leave. */
  end(): void {
    this.stop();
    this.inputs.end();
    this.ends?.();
    this.session.end();
    clearInterval(this.timer);
    this.timer = undefined;
  }

  /** Let go of everything; the car stops if we moved it. A take-over ends with that: its priority would only grow. */
  stop(): void {
    this.inputs.drop();
    this.takeOver = { step: "none" };
    this.sender.stop(performance.now());
    this.sender.priority = 0;
    this.options.changed();
  }

  /** The stop button and letting go: the car stops, whoever drives, and whoever wants may drive next. */
  letGo(): void {
    this.stop();
    this.sender.halt(performance.now());
    this.options.changed();
  }

  /** Take the controls from another: the car stands still until we point somewhere. */
  take(): void {
    this.inputs.drop();
    this.refusal = this.error = null;
    this.raise(begin(this.sender.priority, this.sender.seq));
    this.asked_ms = performance.now();
    this.pointed = STILL;
    this.sender.drive(this.value, this.asked_ms);
    this.run();
  }

  private point(point: Point): void {
    const now = performance.now();
    if (this.takeOver.step === "asking" || !this.options.allowed()) {
      this.inputs.drop(); // so that a stick still held does not set off when the way is clear again
      this.options.changed();
      return;
    }
    if (!this.sender.driving) {
      this.sender.freshen(now);
      if (isStill(point)) return;
      this.refusal = this.error = null;
    }
    this.takeOver = { step: "none" };
    this.pointed = point;
    this.sender.drive(this.value, now);
    this.run();
  }

  /** Beat at a quarter of the pace while anything runs: commands, token, the ring. */
  private run(): void {
    this.options.changed();
    this.timer ??= this.beats();
  }

  private beats(): ReturnType<typeof setInterval> {
    return setInterval(() => { this.beat(performance.now()); }, period_ms(this.sender.pace) / 4);
  }

  private beat(now: number): void {
    if (this.takeOver.step === "done" && now > this.takeOver.until_ms) {
      this.takeOver = { step: "none" };
      this.sender.priority = 0; // or take-overs that nobody uses would use all priorities up
      this.sender.cease();
    }
    if (this.takeOver.step === "asking" && now - this.asked_ms > GIVE_UP_MS) {
      this.refuse({ code: "unanswered", reason: null, holder: null }, now);
      this.fall();
    }
    this.sender.tick(now);
    if (this.inputs.inUse && this.standing.connected) this.sender.freshen(now);
    if (!this.sender.driving && !this.inputs.inUse && this.sender.deadmanLeft(now) === 0) {
      clearInterval(this.timer);
      this.timer = undefined;
    }
    this.options.changed();
  }

  private opened({ owner }: DriveEvent): void {
    this.error = null;
    this.known = { ...FRESH, owner: owner ?? null, connected: true };
  }

  /** Take over the pace that the session tells, at its start or while it runs. */
  private follow({ deadman_s, rate_hz, max_age_s }: DriveEvent): void {
    if (deadman_s === undefined && rate_hz === undefined && max_age_s === undefined) return;
    const { pace } = this.sender;
    this.sender.pace = {
      rate_hz: this.options.rate_hz ?? rate_hz ?? pace.rate_hz,
      deadman_s: deadman_s ?? pace.deadman_s,
      max_age_s: max_age_s === undefined ? pace.max_age_s : max_age_s,
    };
    if (this.timer === undefined) return;
    clearInterval(this.timer);
    this.timer = this.beats();
  }

  private heard(event: DriveEvent): void {
    const now = performance.now();
    this.follow(event);
    if (event.token) this.sender.tokenCame(event.token, event.answer?.seq ?? null, now);
    if (event.answer) this.answer(event.answer, now);
    if (event.holder !== undefined) {
      if (event.holder === null && this.refusal?.code === "held") this.refusal = null;
      this.known = { ...this.known, holder: event.holder, mine: event.mine ?? event.holder === this.standing.owner };
      const another = event.holder !== null && !this.standing.mine;
      if (another && this.sender.driving && this.takeOver.step !== "asking" && !this.options.shared()) this.fall();
    }
    if (event.told) this.told = [event.told, ...this.told].slice(0, TOLD);
    this.options.changed();
  }

  private answer(answer: Answer & { seq: number | null }, now: number): void {
    const accepted = answer.outcome === "accepted";
    if (answer.seq !== null) this.sender.answered(answer.seq, accepted, now);
    const before = this.takeOver;
    const after = answered(before, answer, this.sender.seq, now);
    if (after.step === "asking" && after !== before) this.raise(after);
    else this.takeOver = after;
    if (accepted) {
      if (this.known.refusal !== null) this.known = { ...this.known, refusal: null };
      this.refusal = null;
      return;
    }
    if (after.step === "asking") return;
    const code = answer.code ?? "unanswered";
    this.refuse({ ...answer, code }, now);
    if (code === "stale" || code === "token") this.sender.stale();
    else if (!PASSING.has(code)) this.fall();
  }

  private refuse(refusal: Refusal, now: number): void {
    this.refusal = refusal;
    const code = refusal.code === "unanswered" ? null : refusal.code;
    this.known = { ...this.known, refusal: code, refused_ms: now };
  }

  private raise(state: TakeOver & { step: "asking" }): void {
    this.takeOver = state;
    this.sender.priority = state.priority;
  }

  /** Fall silent: what we would still send can only harm. The user must press anew. */
  private fall(): void {
    if (this.takeOver.step !== "none") this.sender.priority = 0;
    if (this.takeOver.step === "asking") this.takeOver = { step: "none" };
    this.sender.cease();
    this.inputs.drop();
  }

  /** What we send does not reach the component: to go on would be in vain. */
  private misunderstood(error: HassError): void {
    this.stop();
    this.error = error;
    this.options.changed();
  }

  /** Why a session was ended is told until there is another, or a better reason for having none. */
  private lost(error: HassError | null): void {
    if (error !== null || this.error?.code !== ENDED) this.error = error;
    if (error !== null && this.sender.driving) this.options.interrupted(error);
    this.fall();
    this.takeOver = { step: "none" };
    this.sender.priority = 0;
    this.known = { ...FRESH, forbidden: error?.code === "unauthorized" };
    this.options.changed();
  }
}
