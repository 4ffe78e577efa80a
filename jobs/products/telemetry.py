"""Readings of devices: which fields are summed up, what a running total gained, how many readings were due."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from jobs.products.beijing import BEIJING_OFFSET_S, DAY_S, beijing_day

NEAR_THE_TOP = 0.9
"""A total that falls from beyond this share of its dial has rolled over; any other fall is another meter, or a fault."""
MOST_OF_RATED = 2.0
"""No device passes more than so many times its rated flow; a larger gain is another meter, or a fault."""
GJ_PER_T = 0.0041868 * 120
"""Most heat of a tonne of water: 120 K."""
HOUR_S = 3600
IN_SERVICE = "在用"
PLATE = ("device_id", "division_code", "township_code", "metering_zone", "interval_s", "dial_digits", "rated_flow")


@dataclass(frozen=True)
class Telemetry:
    """A dataset's readings: the type of its devices, fields that are measured, and running totals."""

    dataset: str
    device_type: str
    values: Sequence[str]
    totals: Sequence[str] = ()
    most_per_rated: float = MOST_OF_RATED
    """What a total may gain in an hour, for one unit of the device's rated flow."""


TELEMETRY = (
    Telemetry(
        "water_plant_minutes",
        "water_plant",
        (
            *("raw_turbidity_ntu", "out_turbidity_ntu", "ph", "free_chlorine_mg_l"),
            *("water_temp_c", "out_flow_m3_h", "out_pressure_mpa"),
        ),
        ("out_total_m3",),
    ),
    Telemetry(
        "water_network_readings",
        "network_point",
        ("network_flow_m3_h", "network_pressure_mpa"),
        ("forward_total_m3", "reverse_total_m3"),
    ),
    Telemetry(
        "heat_source_minutes",
        "heat_source",
        (
            "source_supply_temp_c",
            "source_return_temp_c",
            "source_flow_t_h",
            "source_heat_rate_gj_h",
            "makeup_water_t_h",
        ),
        ("source_total_gj",),
        MOST_OF_RATED * GJ_PER_T,
    ),
    Telemetry(
        "heat_station_minutes",
        "heat_station",
        (
            *("primary_supply_temp_c", "primary_return_temp_c", "primary_flow_t_h", "heat_rate_gj_h"),
            *("secondary_supply_temp_c", "secondary_return_temp_c", "secondary_supply_pressure_mpa"),
        ),
        ("heat_total_gj",),
        MOST_OF_RATED * GJ_PER_T,
    ),
    Telemetry("indoor_temperatures", "indoor_sensor", ("room_temp_c",)),
    Telemetry(
        "gas_gate_readings",
        "gas_gate",
        ("gate_inlet_pressure_mpa", "gate_outlet_pressure_mpa", "std_flow_m3_h", "odorant_mg_m3"),
        ("std_total_m3",),
    ),
    Telemetry(
        "gas_regulator_readings",
        "gas_regulator",
        ("inlet_pressure_mpa", "outlet_pressure_kpa", "std_flow_m3_h", "leak_lel_pct"),
        ("std_total_m3",),
    ),
)
BY_DATASET = {one.dataset: one for one in TELEMETRY}


def register(inputs: Mapping[str, DataFrame]) -> DataFrame:
    """The register of devices, one row for each; an older register has no metering zones."""
    devices = inputs["devices"]
    if "metering_zone" not in devices.columns:
        devices = devices.withColumn("metering_zone", F.lit(None).cast("string"))
    return devices.dropDuplicates(["device_id"])


def with_plates(readings: DataFrame, devices: DataFrame) -> DataFrame:
    """Readings with what the register says of their devices."""
    return readings.join(devices.select(*PLATE), "device_id", "left")


def with_gains(readings: DataFrame, telemetry: Telemetry) -> DataFrame:
    """Two columns for each total: what it gained since the device's last reading that has one, within a day, and in how long.

    Null after a longer silence, where the total fell without a rollover, and where it gained more than the device can pass.
    Needs the columns of `with_plates`.
    """
    if not telemetry.totals:
        return readings
    seconds = F.unix_seconds("read_at")
    before = Window.partitionBy("device_id").orderBy(seconds).rangeBetween(-DAY_S, -1)
    last = {
        _before(total): F.last(
            F.when(F.col(total).isNotNull(), F.struct(F.col(total).alias("value"), seconds.alias("at"))),
            ignorenulls=True,
        ).over(before)
        for total in telemetry.totals
    }
    gains = {gain(total): _gained(total, telemetry.most_per_rated) for total in telemetry.totals}
    spans = {
        span_s(total): F.when(F.col(gain(total)).isNotNull(), seconds - F.col(f"{_before(total)}.at"))
        for total in telemetry.totals
    }
    return readings.withColumns(last).withColumns(gains).withColumns(spans).drop(*last)


def gain(total: str) -> str:
    """Name of the column that holds a total's gain."""
    return f"_gain_{total}"


def span_s(total: str) -> str:
    """Name of the column that holds the seconds in which a total gained what it did."""
    return f"_span_{total}"


def _before(total: str) -> str:
    return f"_before_{total}"


def _gained(total: str, most_per_rated: float) -> Column:
    value, prior = F.col(total), F.col(f"{_before(total)}.value")
    hours = (F.unix_seconds("read_at") - F.col(f"{_before(total)}.at")) / HOUR_S
    top = F.pow(F.lit(10.0), F.col("dial_digits"))
    rolled = (value < prior) & (prior >= top * NEAR_THE_TOP)
    step = F.when(value >= prior, value - prior).when(rolled, value + top - prior).cast("double")
    most = F.col("rated_flow") * most_per_rated * hours
    return F.when(F.coalesce(step <= most, F.lit(True)), step)


def period_start(moment: Column, seconds: Column | int) -> Column:
    """Begin of the period of so many seconds; days begin at midnight in Beijing."""
    length = F.lit(seconds) if isinstance(seconds, int) else seconds
    local = F.unix_seconds(moment) + BEIJING_OFFSET_S
    return F.timestamp_seconds(F.floor(local / length) * length - BEIJING_OFFSET_S)


def due_readings(inputs: Mapping[str, DataFrame]) -> DataFrame:
    """Devices in service by dataset, on each day on which any dataset has readings, with the readings that are due."""
    by_type = {one.device_type: one.dataset for one in TELEMETRY if one.dataset in inputs}
    datasets = F.create_map(*(F.lit(word) for pair in by_type.items() for word in pair))
    devices = register(inputs).filter(F.col("device_type").isin(*by_type) & (F.col("device_status") == IN_SERVICE))
    moments = reduce(DataFrame.unionAll, [inputs[name].select("read_at") for name in by_type.values()])
    days = moments.select(beijing_day(F.col("read_at")).alias("day")).distinct()
    on_days = devices.crossJoin(F.broadcast(days)).filter(F.col("installed_date") <= F.col("day"))
    due = F.floor(DAY_S / F.col("interval_s"))
    return on_days.select("day", datasets[F.col("device_type")].alias("dataset_id"), *PLATE, due.alias("due"))


def coverage_pct(received: Column, due: Column) -> Column:
    """Readings received of those due, in percent; null where none is due."""
    return F.round(100 * F.least(received, due) / F.when(due > 0, due), 2)
