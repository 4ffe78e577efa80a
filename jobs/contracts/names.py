"""Names that the lake gives to columns of its own, where no name of people can stand.

People's columns begin with a letter, a digit or a Chinese character: a contract's field must, and a header that begins
otherwise becomes a column without its marks, which the report tells. The lake's own begin with `_`. A column that is made
of another one is named by its kind and the other's name, as `_text_temp_c`. No own name begins with a kind of which it is
not (a test holds it), so whatever people call a column, nothing that is made of it takes another column's place.
"""

FILE, ROW, DELIVERY = "_file", "_row", "_delivery"
"""Where a row stood, and the delivery that brought it."""

RECEIVED = "_received_date"
"""The UTC day on which the delivery of a row was received; what the lake's own tables are partitioned by."""

SEQ, MARKS = "_seq", "_marks"
"""The delivery's number in order of arrival, and the warnings that a row in silver carries."""

MALFORMED = "_malformed"
"""Column that says why a row's shape is wrong; null for a row of the right shape."""

LINE = "_line"
"""Column with the text of a row whose shape is wrong, as it was sent: its cells cannot hold it."""

TECHNICAL = (FILE, ROW, MALFORMED, LINE)
"""Bronze columns beside those that were sent, as reading makes them; `_delivery` and `_received_date` come last."""

BRONZE_OWN = (*TECHNICAL, DELIVERY, RECEIVED)
"""All bronze columns beside those that were sent."""

SENT_DATE = "_sent_date"
"""Column of judged rows that rules may name: the day, here, on which the row was first handed over."""

FIRST_SENT = "_first_sent_on"
"""The same day, as silver keeps it."""

TEXT = "_text_"
"""Kind of a field's text after declared normalisation, beside its typed value while rules run."""

SENT = "_as_sent_"
"""Kind of a text as it was sent, while rules run."""

EXTRA = "_extra_"
"""Kind of a column beyond the contract, while rules run."""

TOLD = "_told_"
"""Kind of a rule's column with the other side's value, of a row that breaks the rule."""

QUALIFIER = "_qualifier"
"""Ending of the column that holds `<` or `>` of a censored field."""

OF_A_DELIVERY = (
    *("delivery_in_time", "delivery_declared_rows", "delivery_rows_of_period", "delivery_copies"),
    *("delivery_metadata", "delivery_readable", "delivery_usable"),
)
"""Ids of the checks of a delivery as a whole: their results stand beside those of the rules."""
