//! Rows of the table in `docs/directory.md` that no recording shows, and the tests that do.

/// A row, a file of this crate, and a test in it.
pub(crate) const SHOWN: &[(&str, &str, &str)] = &[
    ("PUT and other methods", ROUTES, "every_route_takes_its_methods_and_no_other"),
    ("page at /", "tests/page.rs", "a_browser_shows_what_the_directory_hears"),
    ("Swagger document", "tests/openapi.rs", "every_path_of_the_document_is_there"),
    ("/swagger/", ROUTES, "a_last_slash_too_many_is_told_and_nothing_else"),
    ("version rule", HTTP, "old_mixnodes_are_refused_where_a_minimum_is_set_and_only_there"),
    ("wording of versions", HTTP, "old_mixnodes_are_refused_where_a_minimum_is_set_and_only_there"),
    ("wording of numbers", HTTP, "bad_bodies_are_refused_on_every_writing_route"),
    ("case of field names", HTTP, "bad_bodies_are_refused_on_every_writing_route"),
    ("`sent` twice in a report", "tests/reports.rs", "bodies_are_read_as_by_the_original"),
    ("texts that are not Unicode", HTTP, "bad_bodies_are_refused_on_every_writing_route"),
    ("deep nesting", HTTP, "bad_bodies_are_refused_on_every_writing_route"),
    ("control characters", HTTP, "bad_bodies_are_refused_on_every_writing_route"),
    ("ampersands and quotes", HTTP, "no_text_can_be_markup"),
    ("JSON escapes", HTTP, "no_text_can_be_markup"),
    ("long texts", REGISTRY, "what_is_too_long_or_too_much_is_refused"),
    ("long lists", HTTP, "bodies_are_bounded_and_those_of_providers_later"),
    (
        "allow and disallow without a key",
        HTTP,
        "a_disallowed_mixnode_is_not_in_the_topology_until_it_is_allowed",
    ),
    ("order of nodes", REGISTRY, "the_lists_are_sorted_by_key"),
    ("host of a coconode", "src/host.rs", "a_host_that_is_not_loopback_is_replaced_by_the_peer"),
    ("X-Forwarded-For", HTTP, "nobody_can_say_to_be_somewhere_else"),
    ("presence timeout", REGISTRY, "a_node_is_new_then_seen_then_late_then_gone"),
    ("topology reads", HTTP, "reading_and_writing_at_once_is_consistent"),
    ("metrics window", "src/windows.rs", "a_report_is_shown_in_the_window_after_its_own"),
    (
        "full lists",
        REGISTRY,
        "a_full_list_takes_those_who_are_in_it_and_has_room_again_when_they_are_gone",
    ),
    ("disallow list", REGISTRY, "only_so_many_are_disallowed"),
    ("what a reader says", WEBSOCKETS, "what_a_client_says_reaches_nobody"),
    ("slow readers", WEBSOCKETS, "a_slow_reader_loses_its_connection_and_holds_up_nobody"),
    ("number of websockets", "src/hub.rs", "a_place_is_free_again_when_its_subscriber_leaves"),
    ("pages that may open a websocket", WEBSOCKETS, "only_pages_of_this_machine_get_a_websocket"),
    ("who may write", ROUTES, "foreign_web_pages_can_read_and_nothing_else"),
    ("interface and port", "tests/docs.rs", "every_option_is_in_the_table_with_its_default"),
    ("console", "tests/program.rs", "it_lists_its_routes_then_its_address_and_ends_when_asked"),
    ("slow clients", CONNECTIONS, "a_body_that_never_ends_is_refused_and_the_connection_closed"),
    ("idle connections", CONNECTIONS, "a_head_that_never_ends_is_given_up_after_a_minute"),
    ("long heads", CONNECTIONS, "nonsense_and_endless_heads_are_refused"),
    ("form of answers", ROUTES, "answers_come_with_their_length"),
];

/// Rows that no test of this crate shows, and why.
pub(crate) const NOT_SHOWN: &[(&str, &str)] =
    &[("number of connections", "counted by the runtime, which all nodes share")];

const CONNECTIONS: &str = "tests/connections.rs";
const HTTP: &str = "tests/http.rs";
const REGISTRY: &str = "tests/registry.rs";
const ROUTES: &str = "tests/routes.rs";
const WEBSOCKETS: &str = "tests/websockets.rs";
