import { css } from "lit";

export const headerStyles = css`
  ha-card { container: header / inline-size; }
  .body { display: grid; gap: 8px; padding: 0 8px 12px; }
  @container header (min-width: 720px) {
    .body { grid-template-columns: minmax(0, 460px) minmax(0, 1fr); align-items: start; }
    .detail { position: sticky; top: 0; }
  }
  svg.header { width: 100%; max-width: 460px; height: auto; margin: 0 auto; direction: ltr; user-select: none; -webkit-user-select: none; }
  .board { fill: #1f2a24; stroke: #fff3; }
  .pin { cursor: pointer; outline: none; -webkit-tap-highlight-color: transparent; }
  .row { fill: transparent; }
  .pin:hover .row { fill: var(--pq-fill); }
  .pin.selected .row { fill: color-mix(in srgb, var(--pq-accent) 16%, transparent); }
  .pin:focus-visible .row { stroke: var(--pq-accent); stroke-width: 2.5; }
  text { dominant-baseline: central; fill: currentColor; font-family: inherit; }
  .number { font-size: 10px; text-anchor: middle; font-weight: 600; }
  .name { font-size: 12px; font-weight: 500; }
  .usual { font-size: 9px; fill: var(--pq-quiet); }
  .user { font-size: 11.5px; }
  .level { font-size: 11.5px; font-weight: 700; }
  .dot { stroke: #fff8; stroke-width: 1; fill: var(--pin); }
  .number { fill: var(--on-pin, #fff); }
  .pin { --pin: #2f7d46; }
  .pin[class~="5v"] { --pin: #c62828; }
  .pin[class~="3v3"] { --pin: #e07b00; --on-pin: #1b1b1b; }
  .ground { --pin: #333; }
  .i2c { --pin: #1565c0; }
  .spi { --pin: #7b1fa2; }
  .uart { --pin: #ad1457; }
  .pcm { --pin: #00796b; }
  .id { --pin: #7a7a7a; }
  .free .name { font-weight: 400; }
  .tag { fill: color-mix(in srgb, var(--primary-text-color, #212121) 9%, transparent); stroke: color-mix(in srgb, var(--primary-text-color, #212121) 30%, transparent); }
  .tag.high { fill: color-mix(in srgb, var(--pq-ok) 30%, transparent); stroke: var(--pq-ok); }
  .conflict .tag { fill: var(--pq-danger); stroke: var(--pq-danger); }
  .conflict .user { fill: #fff; font-weight: 600; }

  .note { padding: 0 16px 10px; color: var(--pq-quiet); }
  .detail { padding: 12px; border-radius: var(--pq-radius); background: var(--pq-fill); display: grid; gap: 10px; }
  .detail .quiet { color: color-mix(in srgb, var(--pq-quiet) 70%, var(--primary-text-color, #212121)); }
  .detail h3 { margin: 0; font-size: 15px; font-weight: 500; }
  .detail ul { margin: 0; padding-inline-start: 18px; }
  .bad { color: color-mix(in srgb, var(--pq-bad) 80%, var(--primary-text-color, #212121)); font-weight: 500; }
  .set { display: flex; flex-wrap: wrap; gap: 8px; align-items: center; padding-block-start: 8px; }
  .set p { flex-basis: 100%; }
  .detail p:empty { display: none; }
  .set label { display: flex; gap: 8px; align-items: center; }
  .set input {
    font: inherit; color: inherit; width: 5.5em; min-height: 44px; box-sizing: border-box; padding: 0 10px;
    border: 1px solid var(--pq-line); border-radius: 8px; background: var(--card-background-color, #fff);
  }
  .legend { display: flex; flex-wrap: wrap; gap: 4px 12px; margin: 0; padding: 0; list-style: none; font-size: 12px; color: var(--pq-quiet); }
  .legend li { display: flex; align-items: center; gap: 5px; }
  .legend i { width: 12px; height: 12px; border-radius: 50%; background: var(--pin); box-shadow: 0 0 0 1px #8886; }
`;
