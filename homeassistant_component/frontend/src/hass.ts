/** What Home Assistant hands to a card; only what we use of it. */

export interface HassEntity {
  entity_id: string;
  state: string;
  attributes: Readonly<Record<string, unknown>>;
  last_changed?: string;
}

export interface EntityEntry {
  entity_id: string;
  device_id?: string | null;
  platform?: string;
  hidden?: boolean;
  name?: string | null;
}

export interface DeviceEntry {
  id: string;
  name: string | null;
  name_by_user?: string | null;
  model?: string | null;
  area_id?: string | null;
  identifiers?: readonly (readonly [string, string])[];
}

export interface Socket {
  readonly bufferedAmount: number;
}

export type ConnectionEvent = "ready" | "disconnected";

/** The connection of home-assistant-js-websocket. */
export interface Connection {
  readonly connected: boolean;
  readonly socket?: Socket | undefined;
  sendMessagePromise(message: Record<string, unknown>): Promise<unknown>;
  subscribeMessage(
    callback: (event: unknown) => void,
    message: Record<string, unknown>,
    options?: { resubscribe?: boolean },
  ): Promise<() => Promise<void> | void>;
  addEventListener(event: ConnectionEvent, callback: () => void): void;
  removeEventListener(event: ConnectionEvent, callback: () => void): void;
}

export interface Hass {
  connection: Connection;
  states: Readonly<Record<string, HassEntity | undefined>>;
  entities: Readonly<Record<string, EntityEntry | undefined>>;
  devices: Readonly<Record<string, DeviceEntry | undefined>>;
  language: string;
  locale?: { language: string; time_format?: string; time_zone?: string };
  config?: { time_zone?: string; state?: string };
  themes?: { darkMode?: boolean };
  user?: { id: string; name: string; is_admin: boolean };
  hassUrl?: (path: string) => string;
  formatEntityState?: (entity: HassEntity) => string;
  /** Says a text of Home Assistant's translations; empty where there is none. */
  localize?: (key: string, values?: Readonly<Record<string, string>>) => string;
  loadBackendTranslation?: (category: string, integration?: string) => Promise<unknown>;
}

/** A state as Home Assistant writes it. */
export function stateWords(hass: Hass, entity: HassEntity): string {
  if (hass.formatEntityState) return hass.formatEntityState(entity);
  const unit = entity.attributes["unit_of_measurement"];
  return typeof unit === "string" ? `${entity.state} ${unit}` : entity.state;
}

/** A websocket error as Home Assistant's connection rejects with it. */
export interface HassError {
  code: string | number;
  message: string;
  translation_domain?: string;
  translation_key?: string;
  translation_placeholders?: Readonly<Record<string, string>>;
}

/** Read an error of unknown origin: bare, a number, or (where there is no connection) inside a failed result. */
export function asHassError(error: unknown): HassError {
  if (typeof error === "number") return { code: error, message: "" };
  if (typeof error !== "object" || error === null) return { code: "unknown", message: String(error) };
  if ("error" in error) return asHassError(error.error);
  if (!("code" in error)) return { code: "unknown", message: error instanceof Error ? error.message : JSON.stringify(error) };
  const { code, message, ...rest } = error as { code: unknown; message?: unknown };
  return { ...rest, code: typeof code === "number" ? code : String(code), message: typeof message === "string" ? message : "" };
}

/** The domain of the component's translations. */
export const OURS = "pimqtt";

/** Whether the component itself refused. */
export const isOurs = ({ translation_domain: domain }: HassError): boolean => domain === OURS;

/** Whether Home Assistant could not be reached: ERR_CANNOT_CONNECT and ERR_CONNECTION_LOST of home-assistant-js-websocket. */
export const isOutOfReach = ({ code }: HassError): boolean => code === 1 || code === 3;
