"""What is known to be harmless in PostgreSQL, and the class of each kind of statement.

Lists of what is allowed: a statement, function, operator or setting that stands nowhere here may write.
"""

from enum import StrEnum


class VerbClass(StrEnum):
    """What kind of thing a statement does, in the words of policies and reviews."""

    READ = "read"
    WRITE = "write"
    DDL = "ddl"
    PRIVILEGE = "privilege"
    TRANSACTION = "transaction"
    SESSION = "session"
    COPY_IN = "copy_in"
    COPY_OUT = "copy_out"
    PROCEDURAL = "procedural"
    PREPARED = "prepared"
    OUTBOUND = "outbound"
    ADMIN = "admin"
    REPLICATION = "replication"
    EMPTY = "empty"
    MIXED = "mixed"
    UNPARSED = "unparsed"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ROOTS = {
    VerbClass.WRITE: _words("insert_stmt update_stmt delete_stmt merge_stmt truncate_stmt refresh_mat_view_stmt"),
    VerbClass.DDL: _words(
        """create_schema_stmt alter_table_stmt replica_identity_stmt alter_collation_stmt alter_domain_stmt
        create_stmt create_extension_stmt alter_extension_stmt alter_extension_contents_stmt create_foreign_table_stmt
        create_am_stmt create_trig_stmt create_event_trig_stmt alter_event_trig_stmt create_plang_stmt create_seq_stmt
        alter_seq_stmt define_stmt create_domain_stmt create_op_class_stmt create_op_family_stmt alter_op_family_stmt
        drop_stmt comment_stmt index_stmt create_stats_stmt alter_stats_stmt create_function_stmt alter_function_stmt
        rename_stmt alter_object_depends_stmt alter_object_schema_stmt alter_operator_stmt alter_type_stmt rule_stmt
        composite_type_stmt create_enum_stmt create_range_stmt alter_enum_stmt view_stmt create_table_as_stmt
        create_conversion_stmt create_cast_stmt create_transform_stmt alter_tsdictionary_stmt
        alter_tsconfiguration_stmt create_publication_stmt alter_publication_stmt"""
    ),
    VerbClass.PRIVILEGE: _words(
        """grant_stmt grant_role_stmt alter_default_privileges_stmt create_policy_stmt alter_policy_stmt
        create_role_stmt alter_role_stmt alter_role_set_stmt drop_role_stmt sec_label_stmt alter_owner_stmt
        drop_owned_stmt reassign_owned_stmt"""
    ),
    VerbClass.TRANSACTION: _words("transaction_stmt lock_stmt constraints_set_stmt"),
    VerbClass.SESSION: _words("variable_set_stmt notify_stmt listen_stmt unlisten_stmt discard_stmt close_portal_stmt"),
    VerbClass.PROCEDURAL: _words("do_stmt call_stmt"),
    VerbClass.PREPARED: _words("prepare_stmt execute_stmt deallocate_stmt"),
    VerbClass.OUTBOUND: _words(
        """create_fdw_stmt alter_fdw_stmt create_foreign_server_stmt alter_foreign_server_stmt
        create_user_mapping_stmt alter_user_mapping_stmt drop_user_mapping_stmt import_foreign_schema_stmt
        create_subscription_stmt alter_subscription_stmt drop_subscription_stmt"""
    ),
    VerbClass.ADMIN: _words(
        """create_table_space_stmt drop_table_space_stmt alter_table_space_options_stmt alter_table_move_all_stmt
        load_stmt createdb_stmt alter_database_stmt alter_database_refresh_coll_stmt alter_database_set_stmt
        dropdb_stmt alter_system_stmt cluster_stmt vacuum_stmt check_point_stmt reindex_stmt"""
    ),
    VerbClass.READ: _words("select_stmt variable_show_stmt fetch_stmt declare_cursor_stmt explain_stmt"),
    VerbClass.COPY_OUT: _words("copy_stmt"),
}

ROOT_CLASSES = {root: verb for verb, roots in _ROOTS.items() for root in roots}
"""The class of each kind of statement, by the name of its node; some depend on what is inside."""

HARMLESS_ROOTS = _words(
    """variable_show_stmt listen_stmt unlisten_stmt close_portal_stmt deallocate_stmt constraints_set_stmt fetch_stmt"""
)
"""Statements that change no data whatever they name; a FETCH runs a query that was labelled when it was declared."""

HARMLESS_SETTINGS = _words(
    """application_name client_min_messages datestyle intervalstyle timezone extra_float_digits bytea_output
    statement_timeout lock_timeout idle_in_transaction_session_timeout transaction_timeout work_mem
    enable_seqscan enable_indexscan enable_hashjoin enable_mergejoin enable_nestloop enable_bitmapscan geqo jit
    random_page_cost max_parallel_workers_per_gather default_statistics_target track_io_timing"""
)
"""Settings that change neither what is written, nor who runs it, nor how a text is read.

`search_path` is missing on purpose (it decides which function a name means), and so are `standard_conforming_strings`,
`client_encoding` (how a text is cut into statements), `role`, and everything about read-only transactions.
"""

HARMLESS_STEPS = _words(
    """assert assign block case close execsql exit fetch foreach_a forc fori fors getdiag if loop open perform raise
    return return_next return_query while"""
)
"""Steps of PL/pgSQL that do nothing but what their SQL does."""

HARMLESS_FUNCTIONS = _words(
    """abs acos age array_agg array_append array_cat array_dims array_length array_lower array_ndims array_position
    array_positions array_prepend array_remove array_replace array_to_json array_to_string array_upper ascii asin atan
    atan2 avg bit_and bit_length bit_or bool_and bool_or btrim cardinality cbrt ceil ceiling char_length
    character_length chr clock_timestamp col_description concat concat_ws corr cos cot count covar_pop covar_samp
    cume_dist current_database current_schema current_schemas current_setting current_user date_bin date_part date_trunc
    decode degrees dense_rank div encode every exp extract factorial first_value float8 floor format format_type
    gcd generate_series generate_subscripts get_bit get_byte has_any_column_privilege has_column_privilege
    has_database_privilege has_function_privilege has_schema_privilege has_sequence_privilege has_table_privilege
    initcap int4 int8 inet_client_addr inet_server_addr isfinite json_agg json_array_elements json_array_elements_text
    json_array_length json_build_array json_build_object json_each json_each_text json_extract_path
    json_extract_path_text json_object json_object_agg json_object_keys json_strip_nulls json_typeof jsonb_agg
    jsonb_array_elements jsonb_array_elements_text jsonb_array_length jsonb_build_array jsonb_build_object jsonb_each
    jsonb_each_text jsonb_extract_path jsonb_extract_path_text jsonb_insert jsonb_object jsonb_object_agg
    jsonb_object_keys jsonb_path_exists jsonb_path_query jsonb_path_query_array jsonb_pretty jsonb_set
    jsonb_strip_nulls jsonb_typeof justify_days justify_hours justify_interval lag last_value lcm lead left length
    like_escape ln localtime localtimestamp log log10 lower lpad ltrim make_date make_interval make_time make_timestamp
    make_timestamptz max md5 min mod mode now nth_value ntile num_nonnulls num_nulls numeric obj_description
    octet_length overlaps overlay parse_ident percent_rank percentile_cont percentile_disc pg_backend_pid
    pg_client_encoding pg_column_size pg_database_size pg_encoding_to_char pg_function_is_visible pg_get_constraintdef
    pg_get_expr pg_get_function_arguments pg_get_function_identity_arguments pg_get_function_result
    pg_get_functiondef pg_get_indexdef pg_get_partkeydef pg_get_ruledef pg_get_serial_sequence
    pg_get_triggerdef pg_get_userbyid pg_get_viewdef pg_has_role pg_indexes_size pg_is_in_recovery
    pg_is_other_temp_schema pg_my_temp_schema pg_opclass_is_visible pg_operator_is_visible pg_postmaster_start_time
    pg_relation_is_publishable pg_relation_size pg_size_pretty pg_sleep pg_table_is_visible pg_table_size
    pg_tablespace_location pg_total_relation_size pg_type_is_visible pg_typeof pi position power quote_ident
    quote_literal quote_nullable radians random range_agg rank regexp_count regexp_instr regexp_like regexp_match
    regexp_matches regexp_replace regexp_split_to_array regexp_split_to_table regexp_substr regr_slope repeat replace
    reverse right round row_number row_to_json rpad rtrim session_user sha256 shobj_description sign similar_to_escape
    sin split_part sqrt starts_with statement_timestamp stddev stddev_pop stddev_samp string_agg string_to_array
    string_to_table strpos substr substring sum tan text textlike timeofday timezone to_char to_date to_hex to_json
    to_jsonb to_number to_regclass to_regtype to_timestamp to_tsquery to_tsvector plainto_tsquery phraseto_tsquery
    websearch_to_tsquery ts_rank ts_headline transaction_timestamp translate trim trim_array trunc
    txid_current_if_assigned unnest upper var_pop var_samp variance version width_bucket xmlagg"""
)
"""Functions of pg_catalog that only compute or look; called by a bare name or as pg_catalog.name."""

HARMLESS_OPERATORS = _words(
    """+ - * / % ^ |/ ||/ @ & | # ~ << >> = <> != < > <= >= || ~~ ~~* !~~ !~~* ~* !~ !~* && @> <@ -> ->> #> #>> ? ?|
    ?& @? @@ #- -|- &< &> ^@"""
)
"""Operators of pg_catalog by name; one of the same name on a type of the user's own cannot be told apart."""

FUNCTION_CLASSES = {
    **dict.fromkeys(
        _words(
            """pg_read_file pg_read_binary_file pg_ls_dir pg_ls_logdir pg_ls_waldir pg_ls_tmpdir pg_stat_file
            pg_terminate_backend pg_cancel_backend pg_reload_conf pg_rotate_logfile pg_promote pg_switch_wal
            pg_create_restore_point pg_import_system_collations lo_export lo_import pg_file_write pg_file_rename
            pg_file_unlink pg_logical_emit_message pg_create_physical_replication_slot
            pg_create_logical_replication_slot pg_drop_replication_slot pg_stat_reset pg_backup_start pg_backup_stop"""
        ),
        VerbClass.ADMIN,
    ),
    **dict.fromkeys(
        _words(
            """dblink dblink_exec dblink_connect dblink_connect_u dblink_open dblink_send_query dblink_disconnect
            http http_get http_post http_put http_delete"""
        ),
        VerbClass.OUTBOUND,
    ),
    **dict.fromkeys(
        _words("nextval setval lo_create lo_creat lo_unlink lo_put lo_from_bytea lowrite"), VerbClass.WRITE
    ),
    "set_config": VerbClass.SESSION,
    "pg_notify": VerbClass.SESSION,
}
"""Functions whose call makes a SELECT something else than a read."""
