"""The table of what can go wrong is true: behind every row is a test, and no row is without one."""

import re

import pytest

from tests.support.documents import ROOT

PAGE = ROOT / "docs" / "what-can-go-wrong.md"

PROVED_BY = {
    "The power fails while many files are taken together": (
        "tests/collect/test_taken_together.py::test_a_kill_among_many_leaves_nothing_half_done"
    ),
    "The power fails, or the program is killed, while a file is being taken": (
        "tests/test_crash.py::test_a_kill_at_any_step_leaves_no_trace"
    ),
    "The card is full": "tests/test_daemon.py::test_a_card_that_is_full_loses_nothing",
    "A file was read and could not be moved away, and you copy another one over it": (
        "tests/collect/test_arrival.py::test_a_file_that_could_not_be_moved_and_is_replaced_is_waited_for_no_more"
    ),
    "A part of the program fails in a way that nobody foresaw": (
        "tests/daemon/test_parts.py::test_whatever_a_part_raises_stops_no_other"
    ),
    "A part of the program hangs": ("tests/system/test_watchdog.py::test_a_part_that_hangs_ends_the_process"),
    "Something else answers in place of a server: a page, a flood, nonsense, a byte now and then": (
        "tests/daemon/test_parts.py::test_a_server_that_answers_nonsense_silences_no_other"
    ),
    "A server says yes to rows and never shows them, as its clock is wrong or it limits series": (
        "tests/stores/influx/test_refused_rows.py::test_rows_that_are_taken_and_not_shown_are_told"
    ),
    "Another program has rows in the same bucket, under the same names": (
        "tests/stores/influx/test_fleet.py::test_rows_of_another_program_stay"
    ),
    "A server's certificate is out of date, of another name or of an unknown signer, or your clock is wrong": (
        "tests/stores/influx/test_unreachable.py::test_a_certificate_that_will_not_do_is_told_with_what_helps"
    ),
    "The journal is moved or deleted while the daemon runs": (
        "tests/daemon/test_parts.py::test_a_journal_that_is_taken_away_is_noticed"
    ),
    "The lock of the daemon is deleted, and a second one is started": (
        "tests/daemon/test_parts.py::test_two_daemons_are_impossible_whatever_is_moved"
    ),
    "A server says that it has deleted something, and has not": (
        "tests/stores/influx/test_influxdb2.py::test_what_it_lacks_is_said_in_words_and_then_all_is_well"
    ),
    "A server's token may write and not read, or another organisation or bucket is meant": (
        "tests/stores/influx/test_influxdb2.py::test_what_it_lacks_is_said_in_words_and_then_all_is_well"
    ),
    "The server is one that only looks like InfluxDB (QuestDB, GreptimeDB, Telegraf)": (
        "tests/stores/influx/test_other_servers.py::test_a_server_that_is_none_of_these_is_said_to_be_none"
    ),
    "The address is that of half a cluster, or lacks its path, or a route for deletions is missing": (
        "tests/stores/influx/test_other_servers.py::test_half_a_cluster_or_a_path_left_out_is_said_with_the_routes"
    ),
    "A server loses rows or deletions that it said yes to, seconds or years ago, and says nothing": (
        "tests/stores/influx/test_cluster.py::test_what_a_storage_lost_is_sent_again_though_nobody_says_that_it_died"
    ),
    "A part of a cluster is away, and its answers have holes": (
        "tests/stores/influx/test_cluster.py::test_while_a_storage_is_away_nothing_is_known_and_nothing_is_done"
    ),
    "A server is away": "tests/test_daemon.py::test_a_store_that_is_away_never_holds_up_collection",
    "Grafana's store is deleted while the daemon runs": (
        "tests/test_daemon.py::test_the_store_may_be_deleted_while_it_runs"
    ),
    "Half of Grafana's store is put back, the other half stays": (
        "tests/daemon/test_inspection.py::test_a_store_of_two_times_is_made_anew"
    ),
    "Something old in the journal is damaged, and nobody asks for it": (
        "tests/daemon/test_inspection.py::test_each_chunk_is_in_one_part_of_the_week"
    ),
    "Grafana's store is damaged": "tests/test_daemon.py::test_a_damaged_store_is_made_anew",
    "Grafana, or somebody else, put a file of their own in the place of the store": (
        "tests/stores/test_sqlite.py::test_what_another_user_put_in_its_place_is_said_and_replaced"
    ),
    "You ask for something as root, before the daemon has run once": (
        "tests/verbs/test_root.py::test_what_root_adds_before_the_first_start_is_the_owners"
    ),
    "The shell or the service lets everybody read new files": (
        "tests/verbs/test_root.py::test_nothing_is_open_to_others_whatever_the_umask"
    ),
    "An installation is interrupted: Ctrl-C, no network, the power": (
        "tests/installation/test_service.py::test_what_stops_halfway_leaves_the_one_before"
    ),
    "An update meets a mistake in the settings": (
        "tests/installation/test_service.py::test_settings_with_a_mistake_stop_it_before_anything_changes"
    ),
    "Data of `make run` are taken along by the service while they are still written to": (
        "tests/installation/test_taking_along.py::test_while_it_is_collected_in_nothing_is_taken"
    ),
    "The machine is too busy or short of memory to read a file": (
        "tests/test_starved_readers.py::test_a_file_whose_readers_are_killed_waits_and_keeps_nobody_waiting"
    ),
    "A workout's file tells of stops of its timer, and never of a start, or a start got lost": (
        "tests/formats/fit/test_pauses.py::test_any_press_may_be_missing"
    ),
    "A file cannot be read, and keeps failing by itself": (
        "tests/collect/test_reader_process.py::test_a_file_that_breaks_every_reader_is_to_blame"
    ),
    "A good file was set aside, as by an older version": (
        "tests/verbs/test_add.py::test_what_was_set_aside_is_tried_again"
    ),
    "A file is made to break in: to run something, to read the journal, to tell somebody": (
        "tests/collect/test_reader_confined.py::test_it_can_neither_open_the_journal_nor_connect"
    ),
    "A file is made to keep the Pi busy: a zip or gzip that unfolds to next to nothing, or without end": (
        "tests/collect/test_reader_process.py::test_a_gzip_of_nothing_costs_next_to_nothing"
    ),
    "The power fails, or the program is killed, while years in one zip come in": (
        "tests/verbs/test_add.py::test_years_in_one_zip_go_on_where_they_were_after_a_kill"
    ),
    "A zip is larger unpacked than the disk has room for": (
        "tests/collect/test_reader_process.py::test_a_large_zip_leaves_room_for_the_journal"
    ),
    "A folder in the inbox is only a link to another one": (
        "tests/collect/test_inbox.py::test_links_and_pipes_are_never_opened"
    ),
    "Bluetooth hangs": "tests/test_daemon.py::test_it_ends_although_bluetooth_hangs",
    "A file in the inbox may not be read by the daemon": (
        "tests/verbs/test_root.py::test_what_the_daemon_may_not_read_is_told_though_root_may"
    ),
    "A file came in for the wrong person": (
        "tests/verbs/test_forget.py::test_a_wrong_persons_file_goes_and_comes_to_the_right_one"
    ),
    "A strap was worn by somebody else, or by the dog": (
        "tests/verbs/test_forget.py::test_each_form_takes_what_it_names_and_undo_gives_it_back"
    ),
    "A forgotten file is dropped into the inbox once more": (
        "tests/verbs/test_forget.py::test_a_wrong_persons_file_goes_and_comes_to_the_right_one"
    ),
    "A memory card, a year or an export is copied into the inbox as a folder": (
        "tests/test_household.py::test_the_label_of_a_card_and_a_date_are_nobody"
    ),
    "A recording lies in a folder of the inbox that a system made for itself, as `lost+found` or `#recycle`": (
        "tests/collect/test_inbox.py::test_recordings_in_folders_of_systems_are_counted"
    ),
    "The name of a file would colour, hide or turn what a terminal shows": (
        "tests/collect/test_arrival.py::test_no_name_reaches_a_terminal_with_what_it_would_obey"
    ),
    "The cable of a watch is pulled while its files are fetched": (
        "tests/system/test_plugged.py::test_a_disk_that_is_pulled_while_it_is_read"
    ),
    "The power fails, or the program is killed, while a watch is fetched from": (
        "tests/collect/test_fetching.py::test_a_kill_at_any_step_loses_and_doubles_nothing"
    ),
    "A watch is plugged in that nobody is named for": (
        "tests/verbs/test_fetch.py::test_a_watch_brings_its_files_to_its_person"
    ),
    "A watch is plugged in that cannot be looked into": (
        "tests/verbs/test_fetch.py::test_what_cannot_be_looked_into_is_said"
    ),
    "The card is full while a watch is fetched from": (
        "tests/collect/test_fetching.py::test_a_full_disk_is_said_and_not_filled_to_the_brim"
    ),
    "Only the log of Grafana's store (`hartslag.db-wal`) is deleted": (
        "tests/stores/test_sqlite.py::test_a_log_lost_while_it_is_open_makes_it_anew"
    ),
    "A stick with copies is damaged": (
        "tests/verbs/test_restore.py::test_what_is_whole_of_a_damaged_copy_comes_back"
    ),
    "Grafana's store cannot be brought up to date": (
        "tests/verbs/test_store_follows.py::test_a_store_that_cannot_follow_is_told_until_it_can"
    ),
    "The computer has no Bluetooth adapter, or its Bluetooth service died": (
        "tests/collect/test_strap_faults.py::test_a_dead_service_is_no_dry_electrode"
    ),
    "A server, a file or a strap sends control characters in its words": (
        "tests/verbs/test_status.py::test_a_servers_words_do_not_act_on_the_terminal"
    ),
    "Only the journal's log (`journal.db-wal`) is deleted while the daemon runs": (
        "tests/daemon/test_parts.py::test_a_log_that_is_deleted_under_the_daemon_loses_nothing"
    ),
    "The journal is a link to a disk that is not mounted yet": (
        "tests/journal/test_damage.py::test_a_link_to_a_disk_that_is_away_is_no_lost_journal"
    ),
    "The settings file is deleted or lost": (
        "tests/verbs/test_rename.py::test_settings_that_are_lost_do_not_make_a_new_person"
    ),
    "A person's name is corrected in the settings by hand": (
        "tests/verbs/test_rename.py::test_a_name_that_was_corrected_by_hand_is_told_and_brought_together"
    ),
    "One person has two names": "tests/verbs/test_rename.py::test_two_who_are_one_and_two_again",
    "The power fails while a name is changed": (
        "tests/verbs/test_rename.py::test_broken_off_the_same_again_completes_it"
    ),
    "The card dies, and a stick had the copies": "tests/verbs/test_restore.py::test_on_a_new_pi_it_is_one_command",
    "The stick for the copies is out": "tests/backup/test_upkeep.py::test_a_stick_that_comes_late_is_waited_for",
    "The stick for the copies is pulled, or the power fails, while one is written": (
        "tests/backup/test_upkeep.py::test_killed_at_any_step_the_copies_from_before_are_whole"
    ),
    "The stick for the copies is full": "tests/backup/test_taking.py::test_on_a_full_disk_the_newest_copy_stays",
    "The stick for the copies forgets what was written to it": (
        "tests/backup/test_taking.py::test_what_the_disk_has_spoilt_is_seen_and_written_again"
    ),
    "The disk or share for the copies hangs": "tests/backup/test_upkeep.py::test_a_disk_that_hangs_holds_up_nothing",
    "The power fails while a copy is brought back": (
        "tests/verbs/test_restore.py::test_broken_off_it_is_as_before_or_as_the_copy"
    ),
    "An old copy is brought back by mistake": "tests/verbs/test_restore.py::test_what_is_there_is_never_overwritten",
    "The Pi starts without internet, and does not know the time": (
        "tests/journal/test_dating.py::test_what_was_apart_is_dated_once_the_time_is_known"
    ),
    "The Pi is switched off before it has learned the time": (
        "tests/verbs/test_clock.py::test_it_is_placed_after_a_look_at_what_changes_and_taken_back"
    ),
    "A watch had lost its clock when it recorded a workout, a day or R-R intervals, or until it found the time on the way": (
        "tests/verbs/test_clock.py::test_a_workout_of_a_watch_without_a_date_is_kept_listed_and_placed"
    ),
    "The clock is set wrong while a strap is worn": (
        "tests/collect/test_clock_steps.py::test_a_step_neither_loses_nor_doubles_nor_misplaces"
    ),
    "The Pi is set to its time zone after its first start": (
        "tests/test_household.py::test_a_computer_that_is_given_its_time_zone_later_is_followed"
    ),
    "There is never any internet": (
        "tests/journal/test_dating.py::test_a_clock_set_by_hand_is_believed_where_nobody_knows_better"
    ),
    "A file, a setting or a question names a year that cannot be": (
        "tests/verbs/test_years.py::test_a_time_that_cannot_be_ends_in_words"
    ),
    "The power fails while a person is deleted": (
        "tests/verbs/test_delete.py::test_killed_on_the_way_the_same_again_completes_it"
    ),
    "The stick with the copies is not there while a person is deleted": (
        "tests/verbs/test_delete.py::test_copies_out_of_reach_go_with_the_next_one"
    ),
    "A worn card changes a byte, a page or more of the journal": (
        "tests/journal/test_damage.py::test_no_damage_makes_a_wrong_number"
    ),
    "The journal cannot be opened any more, is cut off, empty or gone": (
        "tests/daemon/test_mending.py::test_the_daemon_mends_the_journal_and_goes_on"
    ),
    "An older copy of the journal is put back, or what it had written last is lost": (
        "tests/journal/test_losses.py::test_what_a_store_held_and_is_gone_is_named"
    ),
    "An older copy of the journal knows nothing of a file or a time that was forgotten since": (
        "tests/journal/test_losses.py::test_what_was_forgotten_since_and_counts_again_is_said_with_the_line_that_helps"
    ),
    "An old copy of the journal lies below a newer log, and both seem to fit": (
        "tests/journal/test_losses.py::test_pages_of_two_times_are_found_out"
    ),
}
"""The first cell of each row, and the test that shows the second to be so."""


def rows() -> list[str]:
    lines = [line for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    return [line.split("|")[1].strip() for line in lines[2:]]


def test_every_row_has_a_test_and_every_test_a_row() -> None:
    """Nobody can promise in the table what no test has seen."""
    assert sorted(rows()) == sorted(PROVED_BY)


@pytest.mark.parametrize("test", sorted(set(PROVED_BY.values())))
def test_the_test_behind_a_row_is_there(test: str) -> None:
    """A test that was renamed or removed takes its row along."""
    file, name = test.split("::")
    assert re.search(rf"^def {name}\(", (ROOT / file).read_text(), re.MULTILINE), f"{test} is not there"
