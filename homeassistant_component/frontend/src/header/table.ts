/** The 40-pin header: what each pin is. From gpiozero's table (BCM chips) and the kernel's RP1 driver (Pi 5). */

export type PinKind = "5v" | "3v3" | "ground" | "gpio" | "i2c" | "spi" | "uart" | "pcm" | "id";

export interface HeaderPin {
  /** Its place on the header, from 1. */
  readonly pin: number;
  /** Its line (BCM number); null for power and ground. */
  readonly line: number | null;
  readonly kind: PinKind;
  /** What it is called on the board; empty where it is a plain GPIO. */
  readonly usual: string;
  /** What else it can be, on BCM chips and on the Pi 5's RP1. */
  readonly bcm: readonly string[];
  readonly rp1: readonly string[];
}

type Row = readonly [pin: number, line: number, kind: PinKind, usual: string, bcm: string, rp1: string];

const ROWS: readonly Row[] = [
  [3, 2, "i2c", "SDA", "I2C1 SDA, SPI3 MOSI, UART2 CTS, I2C3 SDA", "SPI0, UART1, I2C1, IR, SPI2"],
  [5, 3, "i2c", "SCL", "I2C1 SCL, SPI3 SCLK, UART2 RTS, I2C3 SCL", "SPI0, UART1, I2C1, IR, SPI2"],
  [7, 4, "gpio", "1-Wire", "GPCLK0, SPI4 CE0, UART3 TXD, I2C3 SDA", "GPCLK0, UART2, I2C2, UART0, SPI3"],
  [8, 14, "uart", "TXD", "UART0 TXD, SPI5 MOSI, UART5 CTS, UART1 TXD", "PWM0, UART4, I2C3, UART0, SPI5"],
  [10, 15, "uart", "RXD", "UART0 RXD, SPI5 SCLK, UART5 RTS, UART1 RXD", "PWM0, UART4, I2C3, UART0, SPI5"],
  [11, 17, "gpio", "", "UART0 RTS, SPI1 CE1, UART1 RTS", "SPI1, UART0"],
  [12, 18, "pcm", "PCM CLK", "PCM CLK, SPI6 CE0, SPI1 CE0, PWM0", "SPI1, I2S0, PWM0, I2S1, GPCLK1"],
  [13, 27, "gpio", "", "SD0 DAT3, SD1 DAT3, JTAG TMS, SPI6 CE1", "SD0, I2S0, MIC, I2S1, SPI1"],
  [15, 22, "gpio", "", "SD0 CLK, SD1 CLK, JTAG TRST, I2C6 SDA", "SD0, I2S0, I2C3, I2S1"],
  [16, 23, "gpio", "", "SD0 CMD, SD1 CMD, JTAG RTCK, I2C6 SCL", "SD0, I2S0, I2C3, I2S1"],
  [18, 24, "gpio", "", "SD0 DAT0, SD1 DAT0, JTAG TDO, SPI3 CE1", "SD0, I2S0, I2S1, SPI2"],
  [19, 10, "spi", "MOSI", "SPI0 MOSI, UART4 CTS, I2C5 SDA", "SPI0, UART3, I2C1, SPI4"],
  [21, 9, "spi", "MISO", "SPI0 MISO, UART4 RXD, I2C4 SCL", "SPI0, UART3, I2C0, SPI4"],
  [22, 25, "gpio", "", "SD0 DAT1, SD1 DAT1, JTAG TCK, SPI4 CE1", "SD0, I2S0, MIC, I2S1, SPI3"],
  [23, 11, "spi", "SCLK", "SPI0 SCLK, UART4 RTS, I2C5 SCL", "SPI0, UART3, I2C1, SPI4"],
  [24, 8, "spi", "CE0", "SPI0 CE0, UART4 TXD, I2C4 SDA", "SPI0, UART3, I2C0, SPI4"],
  [26, 7, "spi", "CE1", "SPI0 CE1, SPI4 SCLK, UART3 RTS, I2C4 SCL", "SPI0, UART2, I2C3, UART0, SPI3"],
  [27, 0, "id", "ID_SD", "I2C0 SDA, SPI3 CE0, UART2 TXD, I2C6 SDA", "SPI0, UART1, I2C0, SPI2"],
  [28, 1, "id", "ID_SC", "I2C0 SCL, SPI3 MISO, UART2 RXD, I2C6 SCL", "SPI0, UART1, I2C0, SPI2"],
  [29, 5, "gpio", "", "GPCLK1, SPI4 MISO, UART3 RXD, I2C3 SCL", "GPCLK1, UART2, I2C2, UART0, SPI3"],
  [31, 6, "gpio", "", "GPCLK2, SPI4 MOSI, UART3 CTS, I2C4 SDA", "GPCLK2, UART2, I2C3, UART0, SPI3"],
  [32, 12, "gpio", "PWM0", "PWM0, SPI5 CE0, UART5 TXD, I2C5 SDA", "PWM0, UART4, I2C2, AAUD, SPI5"],
  [33, 13, "gpio", "PWM1", "PWM1, SPI5 MISO, UART5 RXD, I2C5 SCL", "PWM0, UART4, I2C2, AAUD, SPI5"],
  [35, 19, "pcm", "PCM FS", "PCM FS, SPI6 MISO, SPI1 MISO, PWM1", "SPI1, I2S0, PWM0, I2S1"],
  [36, 16, "gpio", "", "UART0 CTS, SPI1 CE2, UART1 CTS", "SPI1, UART0"],
  [37, 26, "gpio", "", "SD0 DAT2, SD1 DAT2, JTAG TDI, SPI5 CE1", "SD0, I2S0, MIC, I2S1, SPI5"],
  [38, 20, "pcm", "PCM DIN", "PCM DIN, SPI6 MOSI, SPI1 MOSI, GPCLK0", "SPI1, I2S0, GPCLK0, I2S1"],
  [40, 21, "pcm", "PCM DOUT", "PCM DOUT, SPI6 SCLK, SPI1 SCLK, GPCLK1", "SPI1, I2S0, GPCLK1, I2S1"],
];

const supply = (kind: PinKind, usual: string, pins: readonly number[]): HeaderPin[] =>
  pins.map((pin) => ({ pin, line: null, kind, usual, bcm: [], rp1: [] }));

/** All forty, in order. */
export const HEADER: readonly HeaderPin[] = [
  ...supply("3v3", "3V3", [1, 17]),
  ...supply("5v", "5V", [2, 4]),
  ...supply("ground", "GND", [6, 9, 14, 20, 25, 30, 34, 39]),
  ...ROWS.map(([pin, line, kind, usual, bcm, rp1]) => ({ pin, line, kind, usual, bcm: bcm.split(", "), rp1: rp1.split(", ") })),
].sort((a, b) => a.pin - b.pin);
