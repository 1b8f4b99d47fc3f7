"""Every limit that a judgement of a report rests on, with its unit and its origin.

Origins: "old" is the earlier program (API notes 4), corrected where the notes say so; "portal"
is a provider's portal in production (notes 3.5); "notes" are other parts of the notes; "ours"
is a choice that nobody confirmed.
"""

from datetime import timedelta

# Readings
MOST_PLAUSIBLE = 1e9  # Mbit/s, Mbyte, ms: more is no reading of any line; ours
SPACINGS_OF_A_GAP = 1.5  # times the usual distance of two readings: one is missing; ours
SPACINGS_OF_AN_EDGE = 2.0  # the same before the first and after the last, which come late; ours
DAY_S = 86_400.0
FIRST_YEAR = 2010  # nothing of today's networks is older; ours
AHEAD = timedelta(days=1)  # how far Plume's clock may be before ours; ours
HISTORY = timedelta(days=32)  # Plume keeps 31 days of what it shows; notes

# WAN use
PERCENTILE = 0.95  # old; by nearest rank
BUSY_FACTOR = 1.5  # times the average of the day: moderate; old
VERY_BUSY_FACTOR = 2.0  # the same: high; old
BUSIEST_HOURS = 3  # named per direction; old
LEAST_OF_AN_HOUR = 0.5  # of an hour's readings must be there before the hour is judged; ours
QUALITY_EXCELLENT_PERCENT = 95.0  # of the readings expected; old
QUALITY_GOOD_PERCENT = 80.0  # old
LINE_FULL_PERCENT = 95.0  # of what the line can do, at the 95th percentile: saturated; ours
LINE_BUSY_PERCENT = 80.0  # the same: busy; ours

# Uptime, percent of the readings
UPTIME_EXCELLENT_PERCENT = 99.5  # old
UPTIME_GOOD_PERCENT = 98.0  # old
UPTIME_FAIR_PERCENT = 95.0  # old
UPTIME_POOR_PERCENT = 90.0  # old; below it is critical
TREND_SHARE = 0.05  # change of the online share between the halves of a window; old
# In a half of 24 readings one bad reading moves the share by 0.042, which is no trend yet.
LEAST_TREND_READINGS = 48  # ours

# Signal of a device, dBm
SIGNAL_EXCELLENT_DBM = -67.0  # portal
SIGNAL_GOOD_DBM = -75.0  # portal
SIGNAL_FAIR_DBM = -80.0  # portal; below it is poor
SIGNALS_DBM = (-120.0, 0.0)  # what a radio can report at all; ours

# Speed tests
SPEED_TEST_OLD_S = 48 * 3600.0  # they run nightly where they run by themselves; ours
LEAST_SPEED_TESTS = 6  # before a trend is told; ours
SPEED_TREND_SHARE = 0.15  # change of the median between the halves; ours
SPEED_LOW_SHARE = 0.6  # the last test against the median: slow; ours
SAME_TEST_S = 60.0  # download and upload of one test lie this close; ours

# Incidents
REBOOT_EXPLAINS_S = 600.0  # a reboot this near to an outage belongs to it; ours
SAME_OUTAGE_S = 1800.0  # two sources that miss each other by less mean one outage; ours
MANY_REBOOTS = 3  # of one pod within the time looked at; ours
