/*
 * CityHash64 as Mozilla has it: version 1.0 (other-licenses/nsis/Contrib/
 * CityHash of its sources; the algorithm of Geoff Pike and Jyrki Alakuijala).
 * Later versions of CityHash give other numbers. Not for secrets.
 */
#ifndef MM_AGENT_CLIENTS_CITYHASH_H
#define MM_AGENT_CLIENTS_CITYHASH_H

#include <stddef.h>
#include <stdint.h>

uint64_t mm_cityhash64_v1(const void *p, size_t n);

#endif
