"""Names of the lake's own columns; they never collide with delivered ones.

Delivered columns begin with a letter, a digit or a Chinese character: a contract's field must, and a header that begins
otherwise becomes a column without its leading marks, which the report mentions. The lake's own begin with `_`. A column derived
from another has a prefix and the other's name, as `_text_temp_c`. No own name begins with the prefix of another kind (tested),
so no derived column can shadow another, however a delivered column is called.
"""

FILE, ROW, DELIVERY = "_file", "_row", "_delivery"
"""File and row number of a row, and the delivery that it came with."""

RECEIVED = "_received_date"
"""The UTC day on which the delivery of a row was received; the partition column of the lake's own tables."""

SEQ, MARKS = "_seq", "_marks"
"""The delivery's number in order of arrival, and the warnings of a row in silver."""

MALFORMED = "_malformed"
"""Why a row's shape is wrong; null for a well-formed row."""

LINE = "_line"
"""Text of a malformed row, as it was sent."""

TECHNICAL = (FILE, ROW, MALFORMED, LINE)
"""Bronze columns that reading adds to those sent; `_delivery` and `_received_date` come last."""

BRONZE_OWN = (*TECHNICAL, DELIVERY, RECEIVED)
"""All bronze columns besides those sent."""

SENT_DATE = "_sent_date"
"""Column that rules may use: the local day on which the row was first delivered."""

FIRST_SENT = "_first_sent_on"
"""The same day, as stored in silver."""

TEXT = "_text_"
"""Prefix of a field's text after declared normalisation, while rules run."""

SENT = "_as_sent_"
"""Prefix of a field's text as sent, while rules run."""

EXTRA = "_extra_"
"""Prefix of a column beyond the contract, while rules run."""

TOLD = "_told_"
"""Prefix of a rule's column with the reference value of a row that breaks the rule."""

FAILING = "_failing_"
"""Prefix of what quarantine and evidence need of a row, in the memory of a small delivery."""

QUALIFIER = "_qualifier"
"""Suffix of the column with the `<` or `>` of a censored field."""

REMOVED_ROWS = "delivery_removed_rows"
"""Check that records which rows left silver because a full delivery no longer has them."""

OF_A_DELIVERY = (
    *("delivery_in_time", "delivery_declared_rows", "delivery_rows_of_period", "delivery_copies"),
    *("delivery_metadata", "delivery_readable", "delivery_usable", "delivery_readings", REMOVED_ROWS),
)
"""Ids of the checks of a whole delivery; their results are stored with those of the rules."""
