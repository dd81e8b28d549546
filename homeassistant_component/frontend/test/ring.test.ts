import { render } from "lit";
import { expect, test } from "vitest";
import { ring } from "../src/ring.js";

test.each([[1, "100 100", "visible"], [0.25, "25 100", "visible"], [0, "0 100", "hidden"]])(
  "%d of a ring is drawn as that much of its circle, whatever radius a style gives it",
  (share, dashes, visibility) => {
    const place = document.createElement("div");
    render(ring(share), place);
    const drawn = [...place.querySelectorAll("circle")].at(-1);
    const attributes = ["stroke-dasharray", "pathLength", "visibility"].map((name) => drawn?.getAttribute(name));
    expect(attributes).toEqual([dashes, "100", visibility]);
  },
);
