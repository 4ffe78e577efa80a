"""The functions that a query may call, in the engine's names. What is not listed is refused."""

OPERATORS = "+ - * / // % ** ^ & | ~ << >> || ! != = == < <= > >= <> -> ->> ~~ !~~ ~~* !~~* ~~~ ^@ @> <@ && @"

AGGREGATES = """
    count count_star sum avg mean min max any_value first last arbitrary arg_max arg_min argmax argmin max_by min_by arg_max_null
    arg_min_null median mode mad quantile quantile_cont quantile_disc percentile_cont percentile_disc stddev stddev_pop
    stddev_samp variance var_pop var_samp covar_pop covar_samp corr regr_avgx regr_avgy regr_count regr_intercept regr_r2
    regr_slope regr_sxx regr_sxy regr_syy skewness kurtosis kurtosis_pop entropy geomean geometric_mean product fsum kahan_sum
    sumkahan favg sum_no_overflow count_if countif bool_and bool_or bit_and bit_or bit_xor string_agg group_concat listagg
    list array_agg histogram histogram_exact histogram_values is_histogram_other_bin approx_count_distinct approx_quantile
    approx_top_k reservoir_quantile grouping grouping_id
"""

WINDOWS = """
    row_number rank dense_rank rank_dense percent_rank cume_dist ntile lag lead first_value last_value nth_value nth fill
"""

NUMBERS = """
    abs add subtract multiply divide mod fdiv fmod ceil ceiling floor round round_even roundbankers trunc sign sqrt cbrt exp ln log
    log2 log10 pow power pi sin cos tan cot asin acos atan atan2 sinh cosh tanh asinh acosh atanh degrees radians factorial gamma
    lgamma gcd greatest_common_divisor lcm least_common_multiple even isfinite isinf isnan signbit nextafter width_bucket
    equi_width_bins greatest least bit_count xor bin hex to_base bar
"""

TEXTS = """
    length len strlen char_length character_length length_grapheme lower lcase upper ucase trim ltrim rtrim concat concat_ws left
    right left_grapheme right_grapheme substring substr substring_grapheme repeat replace reverse lpad rpad position strpos instr
    contains prefix suffix starts_with ends_with split str_split string_split string_to_array split_part str_split_regex
    string_split_regex regexp_split_to_array regexp_matches regexp_full_match regexp_replace regexp_extract regexp_extract_all
    regexp_escape like_escape ilike_escape not_like_escape not_ilike_escape translate format printf ascii ord chr unicode
    strip_accents nfc_normalize levenshtein editdist3 damerau_levenshtein hamming mismatches jaccard jaro_similarity
    jaro_winkler_similarity md5 sha1 sha256 hash url_encode url_decode format_bytes formatreadablesize array_to_string
"""

TIMES = """
    current_date today now get_current_timestamp current_timestamp transaction_timestamp current_localtimestamp
    get_current_time current_time current_localtime date_add date_sub date_diff datediff datesub date_part datepart date_trunc
    datetrunc dayname monthname last_day year month day quarter week weekofyear weekday dayofweek dayofmonth dayofyear isodow
    isoyear yearweek decade century millennium era hour minute second millisecond microsecond nanosecond epoch epoch_ms epoch_us
    epoch_ns to_timestamp make_date make_time make_timestamp make_timestamptz make_timestamp_ms strftime strptime try_strptime
    time_bucket timezone timezone_hour timezone_minute age julian to_years to_quarters to_months to_weeks to_days to_hours
    to_minutes to_seconds to_milliseconds to_microseconds
"""

CONDITIONS = "coalesce ifnull nullif if typeof"

LISTS = """
    list_value array_value list_pack struct_pack row struct_extract struct_extract_at map map_from_entries map_keys map_values
    map_entries map_extract map_extract_value element_at cardinality array_extract list_extract list_element array_slice
    list_slice array_length list_contains array_contains list_has array_has list_has_any list_has_all list_position array_position
    list_indexof list_concat array_concat list_cat list_append array_append list_prepend array_prepend list_distinct array_distinct
    list_unique array_unique list_sort array_sort list_reverse_sort list_reverse array_reverse list_aggregate array_aggregate
    list_aggr list_any_value list_avg list_count list_first list_last list_max list_median list_min list_mode list_sum
    list_string_agg list_transform array_transform apply list_apply list_filter array_filter filter list_reduce array_reduce reduce
    list_intersect array_intersect list_zip array_zip list_resize array_resize flatten unnest generate_series range
    json_extract json_extract_string json_extract_path json_extract_path_text json_array_length json_keys json_type json_valid
    json_exists json_value json_contains to_json json json_object json_array
"""

TABLES = frozenset(("range", "generate_series", "unnest"))
"""Functions that may be in place of a table."""

BY_NAME = frozenset(("list_aggregate", "array_aggregate", "list_aggr", "aggregate", "array_aggr"))
"""Functions that take the name of another: accepted only with the name of one that is accepted."""

FUNCTIONS = frozenset(" ".join((OPERATORS, AGGREGATES, WINDOWS, NUMBERS, TEXTS, TIMES, CONDITIONS, LISTS)).split())
