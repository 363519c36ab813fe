# Warnings are errors, on gcc 12 and clang 14 alike.
add_library(mm_flags INTERFACE)
target_compile_options(mm_flags INTERFACE
  -Wall -Wextra -Wpedantic -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes
  -Wold-style-definition -Wwrite-strings -Wcast-qual -Wcast-align -Wpointer-arith -Wundef
  -Wvla -Wformat=2 -Wnull-dereference -Wconversion -Wsign-conversion -Wimplicit-fallthrough
  $<$<C_COMPILER_ID:GNU>:-Wlogical-op -Wduplicated-cond -Wduplicated-branches>
  -UNDEBUG -fno-strict-aliasing -fstack-protector-strong -fstack-clash-protection
  -include ${PROJECT_SOURCE_DIR}/common/banned.h)
target_compile_definitions(mm_flags INTERFACE _GNU_SOURCE MM_VERSION="${PROJECT_VERSION}")
target_include_directories(mm_flags INTERFACE ${PROJECT_SOURCE_DIR})
target_link_options(mm_flags INTERFACE -Wl,-z,relro -Wl,-z,now -Wl,--as-needed)
if(CMAKE_BUILD_TYPE MATCHES "Rel" AND NOT MM_SANITIZE)
  target_compile_definitions(mm_flags INTERFACE _FORTIFY_SOURCE=2)
endif()
if(MM_SANITIZE)
  target_compile_options(mm_flags INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(mm_flags INTERFACE -fsanitize=address,undefined)
  target_compile_definitions(mm_flags INTERFACE MM_SANITIZER)
endif()
if(MM_FUZZ)
  target_compile_options(mm_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(MM_COVERAGE)
  target_compile_options(mm_flags INTERFACE --coverage)
  target_link_options(mm_flags INTERFACE --coverage)
endif()
