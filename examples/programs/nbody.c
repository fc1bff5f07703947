/* nbody: bodies that attract each other, all pairs in every time step.
 *
 * The distance vector is a small array declared inside the loops, the law of
 * force a static inline function of one number.  Velocities are damped a little.
 *
 * Sizes   default  -DTINY
 * BODIES      500      13
 * STEPS        80       5    time steps
 *
 * Set one with -DBODIES=...
 */
#include <math.h>
#include <stdio.h>

#ifndef BODIES
#ifdef TINY
#define BODIES 13
#else
#define BODIES 500
#endif
#endif
#ifndef STEPS
#ifdef TINY
#define STEPS 5
#else
#define STEPS 80
#endif
#endif

static double pos[BODIES][3], vel[BODIES][3], acc[BODIES][3];
static double mass[BODIES];

static inline double inverse_cube(double r2)
{
    return 1.0 / (r2 * sqrt(r2));
}

static void move(double dt)
{
#pragma scop
    for (int t = 0; t < STEPS; t++) {
        for (int i = 0; i < BODIES; i++) {
            for (int c = 0; c < 3; c++)
                acc[i][c] = 0.0;
            for (int j = 0; j < BODIES; j++) {
                double d[3];
                double r2 = 0.01;
                for (int c = 0; c < 3; c++) {
                    d[c] = pos[j][c] - pos[i][c];
                    r2 += d[c] * d[c];
                }
                double pull = mass[j] * inverse_cube(r2);
                for (int c = 0; c < 3; c++)
                    acc[i][c] += pull * d[c];
            }
        }
        for (int i = 0; i < BODIES; i++)
            for (int c = 0; c < 3; c++) {
                vel[i][c] += dt * acc[i][c];
                vel[i][c] *= 0.999;
                pos[i][c] += dt * vel[i][c];
            }
    }
#pragma endscop
}

int main(void)
{
    double sum = 0.0;

    for (int i = 0; i < BODIES; i++) {
        mass[i] = (1 + i % 5) / (3.0 * BODIES);
        for (int c = 0; c < 3; c++) {
            pos[i][c] = (i * (37 + 16 * c) % 101 - 50) / 10.0;
            vel[i][c] = (i * (11 + 6 * c) % 19 - 9) / 90.0;
        }
    }

    move(0.01);

    for (int i = 0; i < BODIES; i++)
        for (int c = 0; c < 3; c++)
            sum += pos[i][c] * (1 + (3 * i + c) % 12) + vel[i][c];
    printf("nbody %.9e\n", sum);
    return 0;
}
