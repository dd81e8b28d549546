/** Which header a model has. */

import { HEADER, type HeaderPin } from "./table.js";

export interface Layout {
  readonly pins: readonly HeaderPin[];
  /** Whether the Pi 5's own chip drives them. */
  readonly rp1: boolean;
}

/** The functions that only the Pi 4's chip has: its added UARTs, SPIs and I2Cs. */
const ONLY_2711 = /^(UART[2-5]|SPI[3-6]|I2C[3-6]|SD0) /;
/** The first boards had other lines at three places. */
const FIRST_LINES: Readonly<Record<number, number>> = { 3: 0, 5: 1, 13: 21 };

/** The header of a model as the agent names it (`Raspberry Pi 4 Model B Rev 1.4`); forty pins where it is unknown. */
export function layoutOf(model: string | null): Layout {
  const name = model ?? "";
  const rp1 = /Raspberry Pi (5|500|Compute Module 5)\b/.test(name);
  const old = /Raspberry Pi (Model [AB]|[123]\b|Zero|Compute Module [13]?\b(?! ?[45]))/.test(name);
  const first = /Raspberry Pi Model [AB] /.test(`${name} `) && !/Model [AB] Plus/.test(name);
  let pins = old ? HEADER.map((each) => ({ ...each, bcm: each.bcm.filter((word) => !ONLY_2711.test(word)) })) : HEADER;
  if (first) pins = pins.filter(({ pin }) => pin <= 26);
  if (first && /Rev 1\b/.test(name)) pins = pins.map((each) => ({ ...each, line: FIRST_LINES[each.pin] ?? each.line }));
  return { pins, rp1 };
}

/** What else a pin can be on this board. */
export const functionsOf = (pin: HeaderPin, { rp1 }: Layout): readonly string[] => (rp1 ? pin.rp1 : pin.bcm);

/** Where an arrow key leads: columns of odd and even pins, side by side. */
export function neighbour(pin: number, key: string, count: number): number {
  const to: Readonly<Record<string, number>> = {
    ArrowUp: pin - 2,
    ArrowDown: pin + 2,
    ArrowLeft: pin % 2 === 0 ? pin - 1 : pin,
    ArrowRight: pin % 2 === 1 ? pin + 1 : pin,
    Home: 1,
    End: count,
  };
  const next = to[key] ?? pin;
  return next >= 1 && next <= count ? next : pin;
}
