/** A Home Assistant with several Pis, for the dashboard's pages and the cards about Pis. */

import type { Device, Entity, FleetEvent, Node, Pin } from "../src/api.js";
import type { DeviceEntry, EntityEntry, Hass, HassEntity } from "../src/hass.js";
import { ACCEPTED, device, entity, home, node, told, type FakeConnection } from "./home.js";

type Over = Partial<Entity>;

const output = (platform: string, entityId: string, over: Over = {}): Entity =>
  entity({ key: "", platform, entity_id: entityId, unique_id: `pimqtt.demo.${entityId}`, motion: "level", deadman_s: null, ...over });

const reading = (key: string, platform: string, entityId: string, over: Over = {}): Entity =>
  output(platform, entityId, { key, command: false, motion: null, control: null, token: null, ...over });

const of = (id: string, kind: string, name: string, entities: Entity[], over: Partial<Device> = {}): Device =>
  device({ id, kind, name, device_id: `dev-${id}`, entities, ...over });

/** The devices of the agent's demo. */
export const DEMO: Node = node({
  id: "demo", name: "Demo Pi", model: "Raspberry Pi 4 Model B Rev 1.4", device_id: "dev-demo", version: "0.1.0",
  pins: [
    { line: 5, device: "car", role: "left.forward" }, { line: 6, device: "car", role: "left.backward" },
    { line: 13, device: "car", role: "right.forward" }, { line: 19, device: "car", role: "right.backward" },
    { line: 17, device: "pump", role: "pin" }, { line: 18, device: "lamp", role: "pin" }, { line: 22, device: "door", role: "pin" },
    { line: 22, device: "bell", role: "pin" }, { line: "expander:3", device: "bell", role: "pin" },
  ],
  devices: [
    of("car", "drive", "Car", [
      output("sensor", "sensor.demo_car", { motion: "continuous", deadman_s: 0.5 }),
      reading("forward", "button", "button.demo_car_forward"), reading("halt", "button", "button.demo_car_stop"),
      reading("limit", "number", "number.demo_car_limit", { command: true }),
    ]),
    of("pump", "switch", "Pump", [output("switch", "switch.demo_pump", {
      ttl: { default: 5, min: null, max: 60, required: false },
      lease: { owner: "Ben", value: "ON", resting: "OFF", remaining_s: 42, end: null },
      last: [told({ outcome: "rejected", code: "held", owner: "Kim", holder: "Ben", value: "ON", at: new Date().toISOString() })],
    })], { pins: { pin: 17 } }),
    of("lamp", "light", "Lamp", [output("light", "light.demo_lamp")], { pins: { pin: 18 } }),
    of("door", "binary_sensor", "Door", [reading("", "binary_sensor", "binary_sensor.demo_door")], { online: false, pins: { pin: 22 } }),
    of("bell", "button", "Bell", [reading("", "event", "event.demo_bell")]),
    of("eye", "camera", "Eye", [
      reading("", "camera", "camera.demo_eye"), reading("snapshot", "button", "button.demo_eye_snapshot", { command: true }),
      reading("taken", "sensor", "sensor.demo_eye_taken"),
    ]),
    of("system", "system", "Demo Pi", [
      reading("temperature", "sensor", "sensor.demo_cpu"), reading("load", "sensor", "sensor.demo_load"),
      reading("memory", "sensor", "sensor.demo_memory"), reading("under_voltage", "binary_sensor", "binary_sensor.demo_under_voltage"),
    ], { device_id: "dev-demo" }),
  ],
});

export const GREENHOUSE: Node = node({
  id: "green", name: "Greenhouse", identity: "20000000bb", model: "Raspberry Pi Zero 2 W Rev 1.0", version: "0.0.9", device_id: "dev-green",
  latched: true, pins: null,
  devices: [of("heater", "switch", "Heater", [output("switch", "switch.green_heater")], { latched: true, latched_by: "node" })],
});

export const SHED: Node = node({
  id: "shed", name: "Shed", identity: "30000000cc", model: "Raspberry Pi 5 Model B Rev 1.0", online: false, version: "0.1.0",
  device_id: "dev-shed", devices: [of("porch", "camera", "Porch", [reading("", "camera", "camera.shed_porch")])],
});

export const PINS: readonly Pin[] = [
  { line: 5, device: "car", role: "left.forward", mode: "pwm", level: 0.4 }, { line: 17, device: "pump", role: "pin", mode: "output", level: 1 },
  { line: 18, device: "lamp", role: "pin", mode: "pwm", level: 0 }, { line: 22, device: "door", role: "pin", mode: "input", level: 1 },
];

export const PIS: FleetEvent = { base: "pimqtt", connected: true, nodes: [SHED, DEMO, GREENHOUSE] };

const shown = (entity_id: string, state: string, attributes: Record<string, unknown> = {}): HassEntity => ({ entity_id, state, attributes });

/** Home Assistant with all entities of those Pis. */
export function homeOf(connection: FakeConnection, event: FleetEvent = PIS, over: Partial<Hass> = {}): Hass {
  const base = home(connection, over);
  const entities: Record<string, EntityEntry> = {};
  const devices: Record<string, DeviceEntry> = {};
  for (const each of event.nodes ?? [])
    for (const { id, name, kind, device_id: deviceId, entities: all } of each.devices) {
      if (deviceId) devices[deviceId] = { id: deviceId, name, model: kind, identifiers: [["mqtt", `pimqtt.${each.identity ?? ""}.${id}`]] };
      for (const { entity_id: entityId } of all) if (entityId) entities[entityId] = { entity_id: entityId, device_id: deviceId, platform: "mqtt" };
    }
  const states = [
    shown("sensor.demo_car", "stopped"), shown("switch.demo_pump", "on"), shown("light.demo_lamp", "off"),
    shown("camera.demo_eye", "idle", { access_token: "abc" }), shown("camera.shed_porch", "unavailable"),
    shown("sensor.demo_eye_taken", new Date(Date.now() - 7000).toISOString(), { device_class: "timestamp" }),
    shown("sensor.demo_cpu", "48.7", { unit_of_measurement: "°C" }), shown("sensor.demo_load", "0.31"),
    shown("sensor.demo_memory", "37", { unit_of_measurement: "%" }), shown("binary_sensor.demo_under_voltage", "on"),
  ];
  return { ...base, entities, devices, states: Object.fromEntries(states.map((state) => [state.entity_id, state])), ...over };
}

/** What a test knows to be there. */
export function there<T>(value: T | null | undefined): T {
  if (value === null || value === undefined) throw new Error("it is not there");
  return value;
}

/** Answer as a component with these Pis does. */
export function answering(connection: FakeConnection, event: FleetEvent = PIS): void {
  connection.answers = (message) => {
    switch (message["type"]) {
      case "pimqtt/fleet":
        queueMicrotask(() => { connection.tell("pimqtt/fleet", event); });
        return null;
      case "pimqtt/pins":
        return { pins: PINS, model: "Raspberry Pi 4 Model B Rev 1.4" };
      case "pimqtt/stop":
      case "pimqtt/reset":
        return [{ ...ACCEPTED, node: "demo", device: null }];
      case "pimqtt/search":
        return null;
      default:
        return ACCEPTED;
    }
  };
}
