/** Agents' versions compared: `0.1.0`, `1.2.0rc1`. Pure. */

/** Whether `a` was before `b`; what is unknown is not older than anything. */
export function isOlder(a: string | null, b: string | null): boolean {
  return a !== null && b !== null && compared(a, b) < 0;
}

/** The newest of them. */
export const newest = (versions: readonly (string | null)[]): string | null =>
  versions.reduce<string | null>((best, each) => (best === null || isOlder(best, each) ? (each ?? best) : best), null);

function compared(a: string, b: string): number {
  const [left, right] = [parts(a), parts(b)];
  for (let at = 0; at < 3; at += 1) {
    const difference = (left.numbers[at] ?? 0) - (right.numbers[at] ?? 0);
    if (difference !== 0) return difference;
  }
  if (left.before === right.before) return 0;
  if (left.before === "" || right.before === "") return left.before === "" ? 1 : -1;
  return left.before.localeCompare(right.before, "en", { numeric: true });
}

/** What stands after the numbers (`rc1`, `.dev3`) comes before the version itself; a local part (`+abc`) says nothing. */
function parts(version: string): { numbers: number[]; before: string } {
  const [, numbers = "", before = ""] = /^v?(\d+(?:\.\d+)*)([^+]*)/.exec(version) ?? [];
  return { numbers: numbers.split(".").map(Number), before: before.replace(/^[.-]/, "") };
}
