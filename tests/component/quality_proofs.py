"""Home Assistant's rules of quality by their tier, and the tests that show those that are done."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

HERE = Path(__file__).parent
TIERS = {
    "bronze": (
        "action-setup appropriate-polling brands common-modules config-flow config-flow-test-coverage "
        "dependency-transparency docs-actions docs-conditions docs-high-level-description "
        "docs-installation-instructions docs-removal-instructions docs-triggers entity-event-setup entity-unique-id "
        "has-entity-name runtime-data test-before-configure test-before-setup unique-config-entry"
    ),
    "silver": (
        "action-exceptions config-entry-unloading docs-configuration-parameters docs-installation-parameters "
        "entity-unavailable integration-owner log-when-unavailable parallel-updates reauthentication-flow test-coverage"
    ),
    "gold": (
        "devices diagnostics discovery discovery-update-info docs-data-update docs-examples docs-known-limitations "
        "docs-supported-devices docs-supported-functions docs-troubleshooting docs-use-cases dynamic-devices "
        "entity-category entity-device-class entity-disabled-by-default entity-translations exception-translations "
        "icon-translations reconfiguration-flow repair-issues stale-devices"
    ),
    "platinum": "async-dependency inject-websession strict-typing",
}
RULES = frozenset(rule for rules in TIERS.values() for rule in rules.split())
_HEADING = "test_docs::test_every_rule_about_documents_has_its_heading"
#: What shows that a rule is done: tests, each by its file and its name.
TESTS: Mapping[str, tuple[str, ...]] = {
    **{
        f"docs-{about}": (_HEADING,)
        for about in (
            "data-update", "high-level-description", "installation-instructions", "known-limitations",
            "removal-instructions", "supported-devices", "supported-functions", "use-cases",
        )
    },
    "action-exceptions": (
        "test_actions::test_a_refusal_is_in_the_response_and_fails_who_asks_for_none",
        "test_actions::test_what_is_not_ours_is_refused_where_it_is_named",
    ),
    "action-setup": ("test_actions::test_before_the_entry_is_there_actions_say_so",),
    "brands": ("test_setup::test_it_brings_its_types_and_every_brand_image",),
    "common-modules": (
        "test_common_modules::test_actions_and_websocket_commands_share_what_they_do",
        "test_common_modules::test_nothing_is_written_twice",
    ),
    "config-entry-unloading": ("test_setup::test_unloaded_it_hears_and_shows_nothing",),
    "config-flow": (
        "test_config_flow::test_by_hand_with_a_node_that_is_heard",
        "test_hassfest::test_the_component_passes",
    ),
    "config-flow-test-coverage": ("test_hassfest::test_a_rule_that_the_tests_no_longer_hold_fails",),
    "diagnostics": ("test_reports::test_diagnostics_have_the_fleet_and_nothing_private",),
    "discovery": (
        "test_config_flow::test_an_agents_info_offers_to_set_up_once_for_all",
        "test_config_flow::test_mdns_offers_to_set_up",
    ),
    "docs-actions": (_HEADING, "test_docs::test_every_action_and_field_is_described_and_has_an_example"),
    "docs-configuration-parameters": (_HEADING, "test_docs::test_words_of_the_forms_are_quoted_as_they_are"),
    "docs-examples": (_HEADING, "test_docs::test_every_step_is_carried_out"),
    "docs-installation-parameters": (_HEADING, "test_docs::test_words_of_the_forms_are_quoted_as_they_are"),
    "docs-troubleshooting": (_HEADING, "test_docs::test_words_of_the_forms_are_quoted_as_they_are"),
    "dynamic-devices": ("test_coming_and_going::test_a_node_that_is_new_shows_up_without_a_reload",),
    "exception-translations": ("test_hassfest::test_every_sentence_that_the_code_says_is_translated_and_no_other",),
    "icon-translations": ("test_hassfest::test_the_component_passes",),
    "integration-owner": ("test_hassfest::test_a_broken_file_fails",),
    "log-when-unavailable": ("test_fleet::test_mqtt_coming_and_going_is_told_and_logged_once",),
    "reconfiguration-flow": ("test_config_flow::test_the_base_topic_can_be_changed",),
    "repair-issues": ("test_issues::test_what_an_agent_says_is_raised_and_taken_back",),
    "runtime-data": ("test_config_flow::test_the_base_topic_can_be_changed",),
    "stale-devices": ("test_coming_and_going::test_a_node_that_is_forgotten_leaves_no_device",),
    "strict-typing": (
        "test_setup::test_it_brings_its_types_and_every_brand_image",
        "test_hassfest::test_a_rule_that_the_tests_no_longer_hold_fails",
    ),
    "test-before-configure": (
        "test_config_flow::test_without_mqtt_its_setup_is_asked_for_first",
        "test_config_flow::test_while_mqtt_is_not_connected_it_says_so",
        "test_config_flow::test_by_hand_where_nothing_is_heard_it_is_asked_again",
    ),
    "test-before-setup": ("test_setup::test_without_mqtt_the_entry_is_tried_again",),
    "test-coverage": ("test_hassfest::test_a_rule_that_the_tests_no_longer_hold_fails",),
    "unique-config-entry": ("test_config_flow::test_there_is_one_entry",),
}  # fmt: skip


def lost_tests(names: Mapping[str, tuple[str, ...]], folder: Path = HERE) -> Iterator[str]:
    """Name the tests that are not there, are left out, or assert nothing."""
    for name in sorted({one for each in names.values() for one in each}):
        file, _, test = name.partition("::")
        path = folder / f"{file}.py"
        body = ast.parse(path.read_text(encoding="utf-8")).body if path.is_file() else []
        found = [one for one in body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef) and one.name == test]
        if not test.startswith("test_") or len(found) != 1:
            yield f"{name}: there is no such test"
        elif any("skip" in ast.unparse(one) or "xfail" in ast.unparse(one) for one in found[0].decorator_list):
            yield f"{name}: is left out"
        elif not any(isinstance(one, ast.Assert) for one in ast.walk(found[0])):
            yield f"{name}: asserts nothing"
