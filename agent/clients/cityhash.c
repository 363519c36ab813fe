#include "agent/clients/cityhash.h"

#include <endian.h>
#include <string.h>

#define K0 0xc3a5c85c97cb3127u
#define K1 0xb492b66fbe98f273u
#define K2 0x9ae16a3b2f90404fu
#define K3 0xc949d7c7509e6557u

struct pair {
	uint64_t a, b;
};

static uint64_t get64(const unsigned char *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return le64toh(v);
}

static uint64_t get32(const unsigned char *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return le32toh(v);
}

static uint64_t rotate(uint64_t v, unsigned by)
{
	return (v >> (by % 64)) | (v << ((64 - by) % 64));
}

static uint64_t mix(uint64_t v)
{
	return v ^ (v >> 47);
}

static uint64_t fold(uint64_t u, uint64_t v)
{
	const uint64_t mul = 0x9ddfea08eb382d69u;

	return mix((v ^ mix((u ^ v) * mul)) * mul) * mul;
}

static uint64_t up_to_16(const unsigned char *p, size_t n)
{
	if (n > 8) {
		uint64_t a = get64(p), b = get64(p + n - 8);

		return fold(a, rotate(b + n, (unsigned)n)) ^ b;
	}
	if (n >= 4)
		return fold(n + (get32(p) << 3), get32(p + n - 4));
	if (n > 0) {
		uint32_t y = p[0] + ((uint32_t)p[n >> 1] << 8);
		uint32_t z = (uint32_t)n + ((uint32_t)p[n - 1] << 2);

		return mix((y * K2) ^ (z * K3)) * K2;
	}
	return K2;
}

static uint64_t up_to_32(const unsigned char *p, size_t n)
{
	uint64_t a = get64(p) * K1, b = get64(p + 8), c = get64(p + n - 8) * K2, d = get64(p + n - 16) * K0;

	return fold(rotate(a - b, 43) + rotate(c, 30) + d, a + rotate(b ^ K3, 20) - c + n);
}

static struct pair half(uint64_t a, uint64_t w0, uint64_t w1, uint64_t z)
{
	uint64_t b = rotate(a + z, 52), c = rotate(a, 37);

	a += w0;
	c += rotate(a, 7);
	a += w1;
	return (struct pair){a + z, b + rotate(a, 31) + c};
}

static uint64_t up_to_64(const unsigned char *p, size_t n)
{
	struct pair v =
	    half(get64(p) + (n + get64(p + n - 16)) * K0, get64(p + 8), get64(p + 16), get64(p + 24));
	struct pair w =
	    half(get64(p + 16) + get64(p + n - 32), get64(p + n - 24), get64(p + n - 16), get64(p + n - 8));
	uint64_t r = mix((v.a + w.b) * K2 + (w.a + v.b) * K0);

	return mix(r * K0 + v.b) * K2;
}

static struct pair weak(const unsigned char *p, uint64_t a, uint64_t b)
{
	uint64_t w = get64(p), x = get64(p + 8), y = get64(p + 16), z = get64(p + 24), c;

	a += w;
	b = rotate(b + a + z, 21);
	c = a;
	a += x + y;
	b += rotate(a, 44);
	return (struct pair){a + z, b + c};
}

uint64_t mm_cityhash64_v1(const void *data, size_t n)
{
	const unsigned char *p = data;
	struct pair v, w;
	uint64_t x, y, z;

	if (n <= 64)
		return n <= 16 ? up_to_16(p, n) : n <= 32 ? up_to_32(p, n) : up_to_64(p, n);
	v = weak(p + n - 64, n, get64(p + n - 16) ^ K1);
	w = weak(p + n - 32, n * K1, K0);
	z = (get64(p + n - 56) ^ K0) + mix(v.b) * K1;
	x = rotate(z + get64(p), 39) * K1;
	y = rotate(get64(p + n - 16) ^ K1, 33) * K1;
	for (size_t left = (n - 1) & ~(size_t)63; left != 0; left -= 64, p += 64) {
		uint64_t swap;

		x = rotate(x + y + v.a + get64(p + 16), 37) * K1 ^ w.b;
		y = rotate(y + v.b + get64(p + 48), 42) * K1 ^ v.a;
		z = rotate(z ^ w.a, 33);
		v = weak(p, v.b * K1, x + w.a);
		w = weak(p + 32, z + w.b, y);
		swap = z;
		z = x;
		x = swap;
	}
	return fold(fold(v.a, w.a) + mix(y) * K1 + z, fold(v.b, w.b) + x);
}
