# The executable mailmuster: one cmd_NAME.c per command, one line each here
# and in commands.def.
add_library(mm_request_build STATIC request_build.c request_key.c hostwide.c policy_store.c)
target_link_libraries(mm_request_build PUBLIC mm_store mm_policy mm_schemas)

add_library(mm_csv STATIC csv.c)
target_link_libraries(mm_csv PUBLIC mm_policy mm_common)

add_executable(mailmuster
  main.c session.c cmd.c signkey.c csv_rows.c people.c
  cmd_init.c
  cmd_policy.c cmd_policy_log.c
  cmd_user.c cmd_group.c group_sync.c cmd_host.c
  cmd_explain.c cmd_who.c
  cmd_push.c cmd_verify.c cmd_restore.c cmd_discover.c discovered.c discovered_policy.c discovered_print.c cmd_preflight.c preflight.c preflight_end.c preflight_local.c endpoints.c push_cmd.c push_op.c push_record.c push_judge.c push_overtaken.c push_answer.c push_select.c push_changes.c push_causes.c push_print.c push_json.c plan_file.c
  cmd_host_keys.c cmd_enroll.c enroll_remote.c enroll_script.c enroll_limits.c enroll_checkin.c
  cmd_serve.c cmd_rollout.c rollout_run.c rollout_state.c rollout_land.c rollout_heard.c rollout_event.c rollout_follow.c rollout_go.c rollout_make.c rollout_servers.c rollout_back.c rollout_print.c rollout_json.c push_roll.c
  cmd_checkin.c checkin_talk.c
  query.c query_names.c cmd_report.c report_checks.c sampling.c cmd_status.c cmd_drift.c cmd_waiver.c
  cmd_audit.c cmd_audit_log.c cmd_audit_verify.c conf.c witness.c outside.c
  cmd_export.c export_send.c event_text.c
  cmd_key.c
  cmd_backup.c
  cmd_completion.c)
add_dependencies(mailmuster mailmuster-push-worker mailmuster-deliver)
target_link_libraries(mailmuster PRIVATE mm_request_build mm_push mm_rollout mm_csv mm_report mm_checks mm_audit mm_store mm_policy mm_schemas PkgConfig::LIBCONFIG)
# The program finds its data beside itself: here as where it is installed.
file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/share/mailmuster)
file(CREATE_LINK ${PROJECT_SOURCE_DIR}/policies ${PROJECT_BINARY_DIR}/share/mailmuster/policies SYMBOLIC)
install(TARGETS mailmuster RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT controller)

# The names of the mail programs that this version's agent knows.
set(clients_def ${PROJECT_SOURCE_DIR}/agent/clients/clients.def)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${clients_def})
file(STRINGS ${clients_def} client_lines REGEX "^MM_CLIENT")
string(REGEX REPLACE "MM_CLIENT\\(([a-z0-9_-]+)\\)" "\"\\1\"" MM_CLIENT_NAMES "${client_lines}")
string(REPLACE ";" ", " MM_CLIENT_NAMES "${MM_CLIENT_NAMES}")
# ... and those that it can set up through the system's files.
set(routes_def ${PROJECT_SOURCE_DIR}/agent/routes/routes.def)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${routes_def})
file(STRINGS ${routes_def} route_lines REGEX "^MM_(NO_)?ROUTE")
string(REGEX REPLACE "MM_ROUTE\\(([a-z0-9_-]+), ([a-z]+)\\)" "{\"\\1\", \\2, NULL}" MM_ROUTE_ROWS "${route_lines}")
string(REGEX REPLACE "MM_NO_ROUTE\\(([a-z0-9_-]+), (\"[^\"]*\")\\)" "{\"\\1\", false, \\2}" MM_ROUTE_ROWS "${MM_ROUTE_ROWS}")
string(REPLACE ";" ", " MM_ROUTE_ROWS "${MM_ROUTE_ROWS}")
file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/controller/known_clients.h @ONLY CONTENT
  "#define MM_KNOWN_CLIENTS @MM_CLIENT_NAMES@, NULL\n#define MM_KNOWN_ROUTES @MM_ROUTE_ROWS@, {NULL, false, NULL}\n")
target_include_directories(mailmuster PRIVATE ${PROJECT_BINARY_DIR})
