# The agent itself; formats, clients and probe have folders of their own.
add_library(mm_agent STATIC
  conf.c held.c journal.c journal_json.c journal_trials.c definite.c trial.c confirm.c trial_sink.c put_off.c generations.c reader.c classify.c match.c place.c blockers.c attempt.c undo.c modes.c forget.c
  commit.c converge.c secrets.c secret_command.c secret_service.c sdbus.c sessionbus.c needs.c secret_netrc.c secret_systemd.c
  secret_prompt.c secret_file.c secret_ticket.c netrc.c remember.c remember_file.c attempts.c probe_pipe.c probe_check.c probe_run.c home.c spool.c userrun.c worker.c
  envelope_child.c trust.c keyring.c sealer.c checkpoints.c answer.c serve_users.c planned.c discover.c facts.c receive.c session.c login.c restore.c take_back.c allowed_back.c collect.c
  sshlink.c checkin.c versions.c inventory.c hostwide.c)
target_link_libraries(mm_agent PUBLIC mm_routes mm_clients mm_formats mm_schemas mm_common mm_flags
  PRIVATE PkgConfig::LIBCONFIG ${CMAKE_DL_LIBS})
# Its headers only: it is loaded when it is wanted (sdbus.h).
target_include_directories(mm_agent PRIVATE ${SYSTEMD_INCLUDE_DIRS})

add_executable(mailmuster-agent main.c cmd_run.c cmd_checkin.c cmd_admin.c cmd_show.c
  cmd_clients.c)
target_link_libraries(mailmuster-agent PRIVATE mm_agent)
