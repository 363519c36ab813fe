# cmake -DIN=FILE -DOUT=FILE.c -DNAME=NAME -DHEADER=HEADER -P EmbedText.cmake
# Puts a text into a C array with a final NUL, as bytes: a string literal of
# that length is beyond what ISO C promises.
file(READ ${IN} hex HEX)
string(REGEX REPLACE "(................................)" "\\1\n" hex "${hex}")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," hex "${hex}")
get_filename_component(file ${IN} NAME)
file(WRITE ${OUT} "/* Generated from ${file} by cmake/EmbedText.cmake. */
#include \"${HEADER}\"

const char ${NAME}[] = {
${hex}0};
")
