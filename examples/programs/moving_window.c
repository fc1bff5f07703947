/* moving_window: mean, deviation and largest of the last samples, at each sample.
 *
 * Three sums over one window, one of which needs the result of another; the
 * largest is found with a conditional expression.
 *
 * Sizes     default  -DTINY
 * SAMPLES    200000      40
 * WINDOW         64       5
 *
 * Set one with -DWINDOW=...
 */
#include <stdio.h>

#ifdef TINY
#define DEFAULT(usual, tiny) tiny
#else
#define DEFAULT(usual, tiny) usual
#endif
#ifndef SAMPLES
#define SAMPLES DEFAULT(200000, 40)
#endif
#ifndef WINDOW
#define WINDOW DEFAULT(64, 5)
#endif
#if WINDOW < 1
#error "a window has at least one sample"
#endif

static double sample[SAMPLES], mean[SAMPLES], deviation[SAMPLES], largest[SAMPLES];

static void describe(void)
{
#pragma scop
    for (int i = WINDOW - 1; i < SAMPLES; i++) {
        double total = 0.0, squares = 0.0;
        for (int k = 0; k < WINDOW; k++)
            total += sample[i - k];
        mean[i] = total / WINDOW;
        for (int k = 0; k < WINDOW; k++)
            squares += (sample[i - k] - mean[i]) * (sample[i - k] - mean[i]);
        deviation[i] = squares / (WINDOW - 1);
        largest[i] = sample[i];
        for (int k = 1; k < WINDOW; k++)
            largest[i] = sample[i - k] > largest[i] ? sample[i - k] : largest[i];
    }
#pragma endscop
}

int main(void)
{
    double sum = 0.0;

    for (int i = 0; i < SAMPLES; i++)
        sample[i] = (7919L * i % 997) / 997.0;

    describe();

    for (int i = WINDOW - 1; i < SAMPLES; i++)
        sum += mean[i] + deviation[i] * (1 + i % 7) + largest[i];
    printf("moving_window %.9e\n", sum);
    return 0;
}
