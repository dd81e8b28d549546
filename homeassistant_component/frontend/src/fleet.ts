/** The fleet as the component tells it: one subscription per connection, open while somebody listens. */

import { subscribeFleet, type Device, type Entity, type FleetEvent, type Node } from "./api.js";
import { asHassError, isOutOfReach, type Connection, type HassError } from "./hass.js";

/** A node and when we heard of it (performance.now), from which its leases count. */
export interface Known extends Node {
  readonly received_ms: number;
}

export interface FleetState {
  /** False until the first word, and while the browser has lost Home Assistant. */
  readonly live: boolean;
  /** Whether Home Assistant has its broker. */
  readonly connected: boolean;
  readonly base: string;
  readonly nodes: ReadonlyMap<string, Known>;
  readonly error: HassError | null;
}

/** An output with the device and the node that it belongs to. */
export interface Found {
  readonly node: Known;
  readonly device: Device;
  readonly entity: Entity;
}

export const NOTHING: FleetState = { live: false, connected: false, base: "", nodes: new Map(), error: null };

/** After a refused subscription we ask again so often (ms): the component may still be starting. */
export const RETRY_MS = 5000;

/** What an event makes of the fleet. Pure; `now_ms` is when it was received. */
export function heard(state: FleetState, event: FleetEvent, now_ms: number): FleetState {
  const known = (node: Node): Known => ({ ...node, received_ms: now_ms });
  const nodes = new Map(event.nodes ? event.nodes.map((node) => [node.id, known(node)]) : state.nodes);
  if (event.node) nodes.set(event.node.id, known(event.node));
  if (event.gone !== undefined) nodes.delete(event.gone);
  return {
    live: true,
    connected: event.connected ?? state.connected,
    base: event.base ?? state.base,
    nodes,
    error: null,
  };
}

/** Find an output by its entity id. */
export function find(fleet: FleetState, entityId: string): Found | null {
  for (const found of outputs(fleet)) if (found.entity.entity_id === entityId) return found;
  return null;
}

/** Every entity of every node. */
export function* outputs(fleet: Pick<FleetState, "nodes">): Generator<Found> {
  for (const node of fleet.nodes.values())
    for (const device of node.devices) for (const entity of device.entities) yield { node, device, entity };
}

/** How long a lease has still to run (s), seen at `now_ms`. */
export function remaining(found: Found, now_ms: number): number {
  const { lease } = found.entity;
  return lease ? Math.max(0, lease.remaining_s - (now_ms - found.node.received_ms) / 1000) : 0;
}

/** What moves is told of about once a second, with less than that left: it is shown so much longer (s). */
const RENEWED_S = 1.5;

/** How long a lease is shown to run (s): as `remaining`, but it stays while somebody renews it. */
export function shownLeft(found: Found, now_ms: number): number {
  const left_s = remaining(found, now_ms);
  if (left_s > 0 || found.entity.motion !== "continuous") return left_s;
  return remaining(found, now_ms - RENEWED_S * 1000) > 0 ? 0.1 : 0;
}

type Listener = (state: FleetState) => void;

/** One connection's fleet. */
export class Fleet {
  state: FleetState = NOTHING;
  private readonly listeners = new Set<Listener>();
  private close: (() => unknown) | null = null;
  private opening = 0;
  private retry: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly connection: Connection) {}

  /** Hear of every change, of the present state at once; returns what ends it. */
  listen(listener: Listener): () => void {
    this.listeners.add(listener);
    if (this.listeners.size === 1) this.start();
    listener(this.state);
    return () => {
      if (this.listeners.delete(listener) && this.listeners.size === 0) this.end();
    };
  }

  private start(): void {
    this.connection.addEventListener("ready", this.open);
    this.connection.addEventListener("disconnected", this.lost);
    this.open();
  }

  private end(): void {
    this.connection.removeEventListener("ready", this.open);
    this.connection.removeEventListener("disconnected", this.lost);
    this.abandon();
    this.state = { ...this.state, live: false };
  }

  private abandon(): void {
    clearTimeout(this.retry);
    this.opening += 1; // an answer still under way belongs to nobody
    void this.close?.();
    this.close = null;
  }

  private readonly open = (): void => {
    this.close = null; // the server ended it with the old socket
    this.abandon();
    const mine = this.opening;
    const listen = (event: FleetEvent): void => {
      if (mine === this.opening) this.become(heard(this.state, event, performance.now()));
    };
    subscribeFleet(this.connection, listen).then(
      (close) => {
        if (mine === this.opening) this.close = close;
        else void close();
      },
      (error: unknown) => {
        if (mine !== this.opening) return;
        const refused = asHassError(error);
        this.become({ ...this.state, live: false, error: isOutOfReach(refused) ? null : refused });
        this.retry = setTimeout(this.open, RETRY_MS);
      },
    );
  };

  private readonly lost = (): void => {
    this.close = null;
    this.abandon();
    this.become({ ...this.state, live: false });
  };

  private become(state: FleetState): void {
    this.state = state;
    latest = state;
    for (const listener of this.listeners) listener(state);
  }
}

const fleets = new WeakMap<Connection, Fleet>();
let latest: FleetState = NOTHING;

/** The fleet that this connection's cards share. */
export function fleetOf(connection: Connection): Fleet {
  let fleet = fleets.get(connection);
  if (!fleet) fleets.set(connection, (fleet = new Fleet(connection)));
  return fleet;
}

/** The fleet as somebody heard it last, for places that Home Assistant gives no connection (form schemas). */
export const lastHeard = (): FleetState => latest;
