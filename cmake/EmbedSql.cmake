# cmake -DIN=FOLDER -DOUT=FILE.c -P EmbedSql.cmake
# Puts the numbered migrations (NNNN-name.sql) of a folder into a C table, as
# bytes: a string literal of that length is beyond what ISO C promises.
file(GLOB files ${IN}/[0-9][0-9][0-9][0-9]-*.sql)
list(SORT files)
set(arrays "")
set(rows "")
set(expected 1)
foreach(file IN LISTS files)
  get_filename_component(name ${file} NAME_WE)
  string(REGEX REPLACE "^0*([0-9]+)-.*$" "\\1" number ${name})
  if(NOT number EQUAL expected)
    message(FATAL_ERROR "migration ${name} should have the number ${expected}")
  endif()
  math(EXPR expected "${expected} + 1")
  file(READ ${file} hex HEX)
  string(REGEX REPLACE "(................................)" "\\1\n" hex "${hex}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," hex "${hex}")
  string(APPEND arrays "static const char sql_${number}[] = {\n${hex}0};\n")
  string(APPEND rows "\t{${number}, \"${name}\", sql_${number}},\n")
endforeach()
file(WRITE ${OUT} "/* Generated from schemas/sql by cmake/EmbedSql.cmake. */
#include \"controller/store/internal.h\"

${arrays}
const struct mm_migration mm_migrations[] = {
${rows}\t{0, NULL, NULL},
};
")
