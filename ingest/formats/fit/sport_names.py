"""Names of sports that came into the FIT profile after fitparse 1.2 was released in 2020.

Source: FIT SDK, profile types `sport` and `sub_sport`.
"""

SPORTS = {
    49: "baseball", 53: "diving", 56: "shooting", 58: "winter_sport", 59: "grinding", 62: "hiit",
    63: "video_gaming", 64: "racket", 65: "wheelchair_push_walk", 66: "wheelchair_push_run", 67: "meditation",
    68: "para_sport", 69: "disc_golf", 70: "team_sport", 71: "cricket", 72: "rugby", 73: "hockey",
    74: "lacrosse", 75: "volleyball", 76: "water_tubing", 77: "wakesurfing", 78: "water_sport", 79: "archery",
    80: "mixed_martial_arts", 81: "motor_sports", 82: "snorkeling", 83: "dance", 84: "jump_rope",
    85: "pool_apnea", 86: "mobility", 87: "geocaching", 88: "canoeing",
}  # fmt: skip

SUB_SPORTS = {
    62: "breathing", 65: "sail_race", 67: "ultra", 68: "indoor_climbing", 69: "bouldering", 70: "hiit",
    71: "indoor_grinding", 73: "amrap", 74: "emom", 75: "tabata", 77: "esport", 78: "triathlon", 79: "duathlon",
    80: "brick", 81: "swim_run", 82: "adventure_race", 84: "pickleball", 85: "padel",
    86: "indoor_wheelchair_walk", 87: "indoor_wheelchair_run", 88: "indoor_hand_cycling", 94: "squash",
    95: "badminton", 96: "racquetball", 97: "table_tennis", 124: "rucking",
}  # fmt: skip
