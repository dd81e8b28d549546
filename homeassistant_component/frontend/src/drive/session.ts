/** A driving session with the component: opened, lost with the connection, opened again; it never drives by itself. */

import { openDrive, type DriveEvent } from "../api.js";
import { asHassError, isOurs, isOutOfReach, OURS, type Connection, type HassError } from "../hass.js";
import type { Frame, Sending, Transport } from "./sender.js";

/** More than about two commands waiting in the browser (bytes): the way is blocked, what we add would come late. */
const BACKLOG_BYTES = 1024;
/** After a refused session we ask again so often (ms): rights and entities may change. */
const RETRY_MS = 5000;

/** The code of a session's end that the component told. */
export const ENDED = "ended";

const ending = (message: string, { reason_key: key, reason_placeholders: values }: DriveEvent): HassError => ({
  code: ENDED, message, ...(key ? { translation_domain: OURS, translation_key: key, translation_placeholders: values ?? {} } : {}),
});

export interface Hears {
  opened(event: DriveEvent): void;
  heard(event: DriveEvent): void;
  /** Home Assistant did not hand to the component what was sent: no event tells what became of it. */
  refused(error: HassError): void;
  /** The session is over; nothing can be sent. `error` says why it could not be opened, or was ended. */
  lost(error: HassError | null): void;
}

export class Session implements Transport {
  private id: string | null = null;
  private close: (() => unknown) | null = null;
  private attempt = 0;
  private retry: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly connection: Connection,
    private readonly entityId: string,
    private readonly hears: Hears,
  ) {}

  start(): void {
    this.connection.addEventListener("ready", this.open);
    this.connection.addEventListener("disconnected", this.lost);
    if (this.connection.connected) this.open();
    else this.hears.lost(null);
  }

  /** Unsubscribe; the component then stops what this session moves. */
  end(): void {
    this.connection.removeEventListener("ready", this.open);
    this.connection.removeEventListener("disconnected", this.lost);
    this.abandon();
  }

  send(frame: Frame): Sending {
    if (this.id === null || !this.connection.connected) return "lost";
    const backlog = this.connection.socket?.bufferedAmount ?? 0;
    if (typeof frame.value === "object" && backlog > BACKLOG_BYTES) return "stalled";
    const { seq, value, token, priority } = frame;
    this.post({
      type: "pimqtt/drive/send",
      session: this.id,
      seq,
      value,
      ...(token === null ? {} : { token }),
      ...(priority === 0 ? {} : { priority }),
    });
    return "sent";
  }

  askToken(): void {
    if (this.id !== null && this.connection.connected) this.post({ type: "pimqtt/drive/token", session: this.id });
  }

  /** Only while connected: else Home Assistant's connection might keep it, and send it after a reconnect. */
  private post(message: Record<string, unknown>): void {
    const mine = this.attempt;
    this.connection.sendMessagePromise(message).catch((error: unknown) => {
      const refused = asHassError(error);
      // what the component itself refuses it tells by an event, with the command's number
      if (mine === this.attempt && !isOurs(refused) && !isOutOfReach(refused)) this.hears.refused(refused);
    });
  }

  private abandon(): void {
    clearTimeout(this.retry);
    this.attempt += 1; // an answer still under way belongs to nobody
    this.id = null;
    void this.close?.();
    this.close = null;
  }

  private readonly open = (): void => {
    this.close = null; // the component ended it with the old socket
    this.abandon();
    const mine = this.attempt;
    const hear = (event: DriveEvent): void => {
      if (mine === this.attempt) this.hear(event);
    };
    openDrive(this.connection, this.entityId, hear).then(
      (close) => {
        if (mine === this.attempt) this.close = close;
        else void close();
      },
      (error: unknown) => {
        if (mine !== this.attempt) return;
        const refused = asHassError(error);
        this.hears.lost(isOutOfReach(refused) ? null : refused);
        this.retry = setTimeout(this.open, RETRY_MS);
      },
    );
  };

  private hear(event: DriveEvent): void {
    if (event.session !== undefined && event.session !== this.id) {
      this.id = event.session;
      this.hears.opened(event);
    }
    this.hears.heard(event);
    if (event.ended === undefined) return;
    this.over(ending(event.ended, event));
    this.retry = setTimeout(this.open, RETRY_MS);
  }

  private readonly lost = (): void => { this.over(null); };

  private over(error: HassError | null): void {
    this.close = null;
    this.abandon();
    this.hears.lost(error);
  }
}
