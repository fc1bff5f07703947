/* life: Conway's game on a torus.
 *
 * Two boards take turns, picked by t % 2; neighbours across the edge are found
 * with a remainder.  Cells are bytes, the rule a chain of conditional
 * expressions on the number of neighbours.
 *
 * Sizes   default  -DTINY
 * SIDE        600      13    cells along a side
 * TURNS       100       7
 *
 * Set one with -DSIDE=...
 */
#include <stdio.h>

#ifndef SIDE
#ifdef TINY
#define SIDE 13
#else
#define SIDE 600
#endif
#endif
#ifndef TURNS
#ifdef TINY
#define TURNS 7
#else
#define TURNS 100
#endif
#endif

enum { DEAD, ALIVE };

typedef unsigned char cell;

static cell board[2][SIDE][SIDE];

static void play(void)
{
#pragma scop
    for (int t = 0; t < TURNS; t++)
        for (int i = 0; i < SIDE; i++)
            for (int j = 0; j < SIDE; j++) {
                int around = 0;
                around += board[t % 2][(i + SIDE - 1) % SIDE][(j + SIDE - 1) % SIDE];
                around += board[t % 2][(i + SIDE - 1) % SIDE][j];
                around += board[t % 2][(i + SIDE - 1) % SIDE][(j + 1) % SIDE];
                around += board[t % 2][i][(j + SIDE - 1) % SIDE];
                around += board[t % 2][i][(j + 1) % SIDE];
                around += board[t % 2][(i + 1) % SIDE][(j + SIDE - 1) % SIDE];
                around += board[t % 2][(i + 1) % SIDE][j];
                around += board[t % 2][(i + 1) % SIDE][(j + 1) % SIDE];
                board[(t + 1) % 2][i][j] = around == 3 ? ALIVE
                                           : around == 2 ? board[t % 2][i][j] : DEAD;
            }
#pragma endscop
}

int main(void)
{
    long alive = 0, sum = 0;

    for (int i = 0; i < SIDE; i++)
        for (int j = 0; j < SIDE; j++)
            board[0][i][j] = (i * 3 + j * 5 + i * j / 7) % 11 < 4 ? ALIVE : DEAD;

    play();

    for (int i = 0; i < SIDE; i++)
        for (int j = 0; j < SIDE; j++)
            if (board[TURNS % 2][i][j]) {
                alive++;
                sum += (i + 1L) * (1 + j % 37);
            }
    printf("life %ld %ld\n", alive, sum);
    return 0;
}
