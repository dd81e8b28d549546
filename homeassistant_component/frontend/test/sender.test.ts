import { beforeEach, describe, expect, test } from "vitest";
import { period_ms, Sender, type Frame, type Sending } from "../src/drive/sender.js";

const FORWARD = { x: 0, y: 1 };
const LEFT = { x: -1, y: 0 };

class Way {
  frames: Frame[] = [];
  asked = 0;
  answer: Sending = "sent";
  send(frame: Frame): Sending {
    if (this.answer === "sent") this.frames.push(frame);
    return this.answer;
  }
  askToken(): void {
    this.asked += 1;
  }
  get values() {
    return this.frames.map(({ value }) => value);
  }
}

describe("the pace", () => {
  test.each([
    [{ rate_hz: 10, deadman_s: 0.5 }, 100],
    [{ rate_hz: 10, deadman_s: 0.2 }, 40],
    [{ rate_hz: 1, deadman_s: 2 }, 400],
    [{ rate_hz: 30, deadman_s: 2 }, 1000 / 30],
    [{ rate_hz: 500, deadman_s: 0.001 }, 20],
  ])("%o is a command each %d ms", (pace, expected) => {
    expect(period_ms({ ...pace, max_age_s: null })).toBeCloseTo(expected);
  });
});

describe("sender", () => {
  let way: Way;
  let sender: Sender;
  beforeEach(() => {
    way = new Way();
    sender = new Sender(way, { rate_hz: 10, deadman_s: 0.5, max_age_s: null });
  });
  const ticks = (from: number, to: number, step = 25) => {
    for (let now = from; now <= to; now += step) sender.tick(now);
  };

  test("the first command goes at once, then one each period", () => {
    sender.drive(FORWARD, 0);
    ticks(25, 1000);
    expect(way.frames).toHaveLength(11);
    expect(way.frames.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  });

  test("many moves are no more commands, and the newest value wins", () => {
    for (let now = 0; now < 100; now += 5) sender.drive({ x: 0, y: now / 100 }, now);
    sender.drive(LEFT, 99);
    ticks(100, 110);
    expect(way.values).toEqual([{ x: 0, y: 0 }, { x: 0, y: 0.9 }]);
    ticks(185, 210);
    expect(way.values.at(-1)).toEqual(LEFT);
  });

  test("a timer that comes a little early does not cost a beat", () => {
    sender.drive(FORWARD, 0);
    sender.tick(98);
    expect(way.frames).toHaveLength(2);
  });

  test("letting go releases at once and nothing follows", () => {
    sender.drive(FORWARD, 0);
    sender.stop(10);
    ticks(20, 3000);
    expect(way.values).toEqual([FORWARD, "release"]);
    expect(sender.driving).toBe(false);
  });

  test("a release without having moved says nothing", () => {
    sender.stop(0);
    expect(way.frames).toEqual([]);
  });

  test("the stop button stops whoever drives", () => {
    sender.halt(0);
    expect(way.values).toEqual(["stop"]);
  });

  test("falling silent sends nothing, not even a release afterwards", () => {
    sender.drive(FORWARD, 0);
    sender.cease();
    sender.stop(10);
    ticks(20, 1000);
    expect(way.values).toEqual([FORWARD]);
  });

  test("what was not sent counts as nothing: no number is used, nothing has to be released", () => {
    way.answer = "lost";
    sender.drive(FORWARD, 0);
    expect(sender.last).toBe("lost");
    way.answer = "sent";
    sender.stop(10);
    expect(way.frames).toEqual([]);
    expect(sender.seq).toBe(0);
  });

  test("each command bears the newest token and the priority", () => {
    sender.priority = 3;
    sender.tokenCame("a", null, 0);
    sender.drive(FORWARD, 0);
    sender.tokenCame("b", 1, 50);
    ticks(75, 100);
    expect(way.frames.map(({ token, priority }) => [token, priority])).toEqual([["a", 3], ["b", 3]]);
  });

  test("a token of an older question does not replace a newer one", () => {
    sender.drive(FORWARD, 0);
    sender.tick(100);
    sender.tokenCame("second", 2, 120);
    sender.tokenCame("first", 1, 130);
    sender.tick(200);
    expect(way.frames.at(-1)?.token).toBe("second");
  });

  describe("where tokens grow old", () => {
    beforeEach(() => {
      sender.pace = { rate_hz: 10, deadman_s: 0.5, max_age_s: 0.5 };
      sender.tokenCame("old", null, 0);
    });

    test("a fresh one is kept while the pad is in use, half its age apart", () => {
      for (let now = 0; now <= 1000; now += 25) sender.freshen(now);
      expect(way.asked).toBe(4);
    });

    test("after a rest the first command waits for a fresh one", () => {
      sender.drive(FORWARD, 5000);
      expect(way.frames).toEqual([]);
      expect(way.asked).toBe(1);
      sender.tokenCame("new", null, 5040);
      expect(way.frames).toMatchObject([{ value: FORWARD, token: "new" }]);
    });

    test("it does not wait for ever: the refusal then says why", () => {
      sender.drive(FORWARD, 5000);
      ticks(5025, 5475);
      expect(way.frames).toEqual([]);
      ticks(5500, 5500);
      expect(way.frames).toMatchObject([{ token: "old" }]);
    });

    test("let go while it waits: nothing is sent at all", () => {
      sender.drive(FORWARD, 5000);
      sender.stop(5010);
      sender.tokenCame("new", null, 5040);
      expect(way.frames).toEqual([]);
    });

    test("a refusal as stale asks again", () => {
      sender.drive(FORWARD, 100);
      const asked = way.asked;
      sender.stale();
      sender.tick(700);
      expect(way.asked).toBe(asked + 1);
    });
  });

  test("the round trip is the median of the last answers", () => {
    expect(sender.roundTrip()).toBeNull();
    sender.drive(FORWARD, 0);
    for (const [seq, took] of [[1, 10], [2, 90], [3, 30]] as const) {
      sender.tick(100 * seq);
      expect(sender.answered(seq, true, 100 * (seq - 1) + took)).toBe(took);
    }
    expect(sender.roundTrip()).toBe(30);
    expect(sender.answered(99, true, 0)).toBeNull();
  });

  test("silence counts from the first command that nobody answered", () => {
    expect(sender.silence(0)).toBe(0);
    sender.drive(FORWARD, 0);
    ticks(25, 700);
    expect(sender.silence(700)).toBe(700);
    sender.answered(7, false, 710);
    expect(sender.silence(710)).toBe(0);
    ticks(725, 800);
    expect(sender.silence(900)).toBeGreaterThan(0);
    sender.stop(910);
    expect(sender.silence(5000)).toBe(0);
  });

  test("the dead-man's ring empties from the last accepted command, and is empty after a stop", () => {
    expect(sender.deadmanLeft(0)).toBe(0);
    sender.drive(FORWARD, 0);
    sender.answered(1, true, 20);
    expect(sender.deadmanLeft(125)).toBeCloseTo(0.75);
    expect(sender.deadmanLeft(600)).toBe(0);
    sender.tick(100);
    sender.answered(2, false, 110);
    expect(sender.deadmanLeft(250)).toBeCloseTo(0.5);
    sender.stop(260);
    expect(sender.deadmanLeft(260)).toBe(0);
  });

  test.each(["stop", "halt"] as const)("the ring stays empty when answers come after a %s: to it, and to what was under way", (rest) => {
    sender.drive(FORWARD, 0);
    sender.tick(100);
    sender[rest](110);
    sender.answered(2, true, 120);
    sender.answered(3, true, 130);
    expect(sender.deadmanLeft(130)).toBe(0);
    sender.drive(FORWARD, 300);
    sender.answered(4, true, 320);
    expect(sender.deadmanLeft(350)).toBeCloseTo(0.9);
  });

  test("answers that never come are forgotten", () => {
    sender.drive(FORWARD, 0);
    ticks(100, 10_000, 100);
    expect(sender.answered(1, true, 10_000)).toBeNull();
    expect(sender.answered(101, true, 10_001)).toBe(1);
  });
});
