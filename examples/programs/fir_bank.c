/* fir_bank: a bank of filters that keep every second sample, then the way back.
 *
 * Samples are 16-bit; products are added in 64 bits, shifted right and cast
 * back.  Subscripts 2 * i + k; the second loop nest runs in steps of two and
 * its innermost loop counts down.
 *
 * Sizes   default  -DTINY
 * BANDS         8       3    filters
 * TAPS         64       6    coefficients each
 * SAMPLES  300000      26
 *
 * Set one with -DBANDS=...
 */
#include <stdint.h>
#include <stdio.h>

#ifdef TINY
#define DEFAULT(usual, tiny) tiny
#else
#define DEFAULT(usual, tiny) usual
#endif
#ifndef BANDS
#define BANDS DEFAULT(8, 3)
#endif
#ifndef TAPS
#define TAPS DEFAULT(64, 6)
#endif
#ifndef SAMPLES
#define SAMPLES DEFAULT(300000, 26)
#endif

static int16_t signal[SAMPLES + TAPS];
static int16_t coefficient[BANDS][TAPS];
static int16_t band[BANDS][SAMPLES / 2 + 1];
static int32_t rebuilt[SAMPLES + TAPS];

static void analyse(void)
{
    long b, i, k;

#pragma scop
    for (b = 0; b < BANDS; b++)
        for (i = 0; i < SAMPLES / 2; i++) {
            int64_t sum = 0;
            for (k = 0; k < TAPS; k++)
                sum += (int64_t)coefficient[b][k] * signal[2 * i + k];
            band[b][i] = (int16_t)(sum >> 12);
        }
#pragma endscop
}

static void rebuild(void)
{
    long b, i, k;

#pragma scop
    for (i = 0; i < SAMPLES + TAPS; ++i)
        rebuilt[i] = 0;
    for (b = 0; b < BANDS; b++)
        for (i = 0; i < SAMPLES; i += 2)
            for (k = TAPS - 1; k >= 0; k--)
                rebuilt[i + k] += band[b][i / 2] * coefficient[b][k] / 64;
#pragma endscop
}

int main(void)
{
    long long sum = 0;

    for (int i = 0; i < SAMPLES + TAPS; i++)
        signal[i] = (int16_t)((i * 7L + i / 3 % 100 * 50) % 2001 - 1000);
    for (int b = 0; b < BANDS; b++)
        for (int k = 0; k < TAPS; k++)
            coefficient[b][k] = (int16_t)((b * 13 + k * 29) % 255 - 127);

    analyse();
    rebuild();

    for (int i = 0; i < SAMPLES + TAPS; i++)
        sum += (long long)rebuilt[i] * (1 + i % 33);
    for (int b = 0; b < BANDS; b++)
        for (int i = 0; i < SAMPLES / 2; i++)
            sum += (long long)band[b][i] * (1 + (b + i) % 5);
    printf("fir_bank %lld\n", sum);
    return 0;
}
