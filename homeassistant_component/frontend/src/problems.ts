/** What the component found wrong with a Pi, in the words of its repairs. Pure. */

import type { Node } from "./api.js";
import type { Translate } from "./localize.js";

export interface Problem {
  readonly key: string;
  readonly title: string;
  readonly help: string;
}

export function problemsOf({ name, problems = [] }: Node, t: Translate): Problem[] {
  return problems.map(({ key, placeholders }) => {
    const say = (part: "title" | "description"): string | null => t.backend(`issues.${key}.${part}`, placeholders);
    return { key, title: say("title") ?? t("attention.problem", { name }), help: say("description") ?? t("attention.see_repairs") };
  });
}
