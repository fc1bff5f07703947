/* advect: transport of a quantity by a wind that changes sign along the line.
 *
 * Each step computes a flux through every face, from whichever side the wind
 * comes, and applies the differences.  The fluxes live in an array declared
 * inside the time loop, three smoothing weights in one declared per point.
 *
 * Sizes   default  -DTINY
 * CELLS      8000      13
 * STEPS      3000       7    time steps
 *
 * Set one with -DCELLS=...
 */
#include <math.h>
#include <stdio.h>

#ifndef CELLS
#ifdef TINY
#define CELLS 13
#else
#define CELLS 8000
#endif
#endif
#ifndef STEPS
#ifdef TINY
#define STEPS 7
#else
#define STEPS 3000
#endif
#endif

static double q[CELLS];
static double wind[CELLS + 1];

static void transport(double courant)
{
#pragma scop
    for (int t = 0; t < STEPS; t++) {
        double flux[CELLS + 1];
        double inflow = 1.0 + t % 2;

        for (int f = 0; f <= CELLS; f++) {
            double from_left, from_right;
            if (f > 0)
                from_left = q[f - 1];
            else
                from_left = inflow;
            if (f < CELLS)
                from_right = q[f];
            else
                from_right = 0.5;
            flux[f] = wind[f] > 0.0 ? wind[f] * from_left : wind[f] * from_right;
        }
        for (int c = 0; c < CELLS; c++) {
            double w[3];
            w[0] = flux[c] - flux[c + 1];
            w[1] = 0.001 * fabs(w[0]);
            w[2] = w[0] - w[1];
            q[c] += courant * w[2];
        }
    }
#pragma endscop
}

int main(void)
{
    double sum = 0.0;

    for (int c = 0; c < CELLS; c++)
        q[c] = 1.0 + c % 40 / 20.0;
    for (int f = 0; f <= CELLS; f++)
        wind[f] = 1.0 - (f / 50 % 4) * 0.5;

    transport(0.3);

    for (int c = 0; c < CELLS; c++)
        sum += q[c] * (1 + c % 15);
    printf("advect %.10e\n", sum);
    return 0;
}
