import { css } from "lit";

export const driveStyles = css`
  ha-card { container: drive / inline-size; }
  .chip {
    display: inline-flex; align-items: center; gap: 6px; flex: none; max-width: 60%;
    padding-block: 3px; padding-inline: 8px 12px; border-radius: 16px; background: var(--pq-fill); font-weight: 500;
  }
  .chip span { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
  .chip svg.icon { width: 18px; height: 18px; }
  .chip.mine { background: color-mix(in srgb, var(--pq-ok) 18%, transparent); color: color-mix(in srgb, var(--pq-ok) 45%, var(--primary-text-color, #212121)); }
  .chip.held, .chip.let_go, .chip.not_armed { background: color-mix(in srgb, var(--pq-warn) 20%, transparent); }
  .chip.latched { background: var(--pq-danger); color: #fff; }
  .trip { flex: none; font-variant-numeric: tabular-nums; }

  .stage { position: relative; flex: 1 1 auto; min-height: 260px; display: grid; background: var(--pq-fill); overflow: hidden; }
  .stage.seen { background: #111; color: #fff; min-height: 0; aspect-ratio: 16 / 9; }
  pimqtt-picture { position: absolute; inset: 0; }
  .place { position: absolute; inset: 0; display: grid; place-items: center; pointer-events: none; }
  .seen .place { place-items: end; padding: 16px; }

  .pad {
    position: relative; width: 196px; height: 196px; border-radius: 50%; pointer-events: auto;
    touch-action: none; cursor: grab; user-select: none; -webkit-user-select: none; -webkit-touch-callout: none;
    background: color-mix(in srgb, var(--card-background-color, #fff) 70%, transparent);
    color: var(--pq-accent);
  }
  .seen .pad { background: #0007; backdrop-filter: blur(3px); color: #fff; }
  .pad:active { cursor: grabbing; }
  .pad[aria-disabled="true"] { cursor: not-allowed; opacity: 0.55; }
  .pad:focus-visible, .pad.in-use { outline: 3px solid var(--pq-accent); outline-offset: 3px; }
  .pad .ring { position: absolute; inset: 0; width: 100%; height: 100%; }
  .pad .ring circle { stroke-width: 1.6; r: 18.7px; }
  .pad .arrows { position: absolute; inset: 15%; width: 70%; height: 70%; fill: currentColor; opacity: 0.45; }
  .knob {
    position: absolute; inset: 50% auto auto 50%; width: 68px; height: 68px; margin: -34px 0 0 -34px; border-radius: 50%;
    background: var(--pq-strong); box-shadow: 0 2px 6px #0005; transition: transform 0.12s ease-out;
    display: grid; place-items: center; color: #fff; font-weight: 500; font-variant-numeric: tabular-nums;
  }
  .held-down .knob { transition: none; }
  .pad[aria-disabled="true"] .knob { background: var(--disabled-text-color, #9e9e9e); }

  .say { padding: 10px 16px 0; min-height: 20px; }
  .say.bad { color: color-mix(in srgb, var(--pq-bad) 80%, var(--primary-text-color, #212121)); font-weight: 500; }
  .controls { display: flex; flex-wrap: wrap; align-items: center; gap: 8px; padding: 10px 16px; }
  label { display: flex; align-items: center; gap: 10px; flex: 1 1 200px; min-height: 44px; }
  label output { min-width: 4ch; text-align: end; font-variant-numeric: tabular-nums; }
  input[type="range"] { flex: 1; min-width: 80px; height: 44px; margin: 0; appearance: none; background: none; cursor: pointer; border-radius: 8px; }
  input[type="range"]::-webkit-slider-runnable-track {
    height: 6px; border-radius: 3px;
    background: linear-gradient(to right, var(--pq-accent) var(--share), var(--pq-line) var(--share));
  }
  input[type="range"]:dir(rtl)::-webkit-slider-runnable-track {
    background: linear-gradient(to left, var(--pq-accent) var(--share), var(--pq-line) var(--share));
  }
  input[type="range"]::-moz-range-track { height: 6px; border-radius: 3px; background: var(--pq-line); }
  input[type="range"]::-moz-range-progress { height: 6px; border-radius: 3px; background: var(--pq-accent); }
  input[type="range"]::-webkit-slider-thumb { appearance: none; width: 22px; height: 22px; margin-top: -8px; border-radius: 50%; background: var(--pq-accent); }
  input[type="range"]::-moz-range-thumb { width: 22px; height: 22px; border: 0; border-radius: 50%; background: var(--pq-accent); }
  .buttons { display: flex; flex-wrap: wrap; gap: 8px; flex: 0 1 auto; }
  ol { list-style: none; margin: 0; padding: 0 16px 12px; color: var(--pq-quiet); font-size: 13px; }
  ol li { display: flex; gap: 8px; }
  ol time { flex: none; font-variant-numeric: tabular-nums; }
  ol span { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }

  @container drive (max-width: 480px) {
    .stage.seen { aspect-ratio: auto; height: calc(100cqw * 9 / 16 + 128px); }
    .seen pimqtt-picture { inset: 0 0 auto; height: calc(100cqw * 9 / 16); }
    .seen .place { place-items: end center; padding: 14px; }
    .buttons { flex: 1 1 100%; }
    .buttons > * { flex: 1 1 auto; }
  }
`;
