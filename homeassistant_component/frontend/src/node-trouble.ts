/** Why a card about a Pi has nothing to show. */

import type { Translate } from "./localize.js";
import type { Trouble } from "./trouble.js";

export function nodeTrouble(node: string, t: Translate): Trouble {
  if (node === "") return { icon: "alert", title: t("config.no_node"), help: t("trouble.no_node_help") };
  return { icon: "offline", title: t("trouble.node_unheard", { node }), help: t("trouble.unheard_help") };
}
