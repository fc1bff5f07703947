/* align: how much two strings have in common, in two ways.
 *
 * First the longest common subsequence, with an if on the letters; then the
 * best local alignment with separate costs for opening and for widening a gap,
 * with the maximum as a macro.  All integers.
 *
 * Sizes   default  -DTINY
 * LEFT       3000      13    length of the first string
 * RIGHT      3500      17    length of the second
 *
 * Set one with -DLEFT=...
 */
#include <stdio.h>

#ifndef LEFT
#ifdef TINY
#define LEFT 13
#else
#define LEFT 3000
#endif
#endif
#ifndef RIGHT
#ifdef TINY
#define RIGHT 17
#else
#define RIGHT 3500
#endif
#endif

#define MAX(a, b) ((a) > (b) ? (a) : (b))
#define SCORE(x, y) ((x) == (y) ? 5 : -4)
#define OPEN 7
#define WIDEN 2

static char left[LEFT + 1];
static char right[RIGHT + 1];
static int lcs[LEFT + 1][RIGHT + 1];
static int best[LEFT + 1][RIGHT + 1];
static int down[LEFT + 1][RIGHT + 1];
static int across[LEFT + 1][RIGHT + 1];

static int common(void)
{
    int i, j;

#pragma scop
    for (i = 0; i <= LEFT; i++)
        lcs[i][0] = 0;
    for (j = 0; j <= RIGHT; j++)
        lcs[0][j] = 0;
    for (i = 1; i <= LEFT; i++)
        for (j = 1; j <= RIGHT; j++)
            if (left[i - 1] == right[j - 1])
                lcs[i][j] = lcs[i - 1][j - 1] + 1;
            else
                lcs[i][j] = lcs[i - 1][j] > lcs[i][j - 1] ? lcs[i - 1][j] : lcs[i][j - 1];
#pragma endscop
    return lcs[LEFT][RIGHT];
}

static int local(void)
{
    int i, j;
    int top = 0;

#pragma scop
    for (i = 0; i <= LEFT; i++) {
        best[i][0] = 0;
        across[i][0] = -1000;
    }
    for (j = 0; j <= RIGHT; j++) {
        best[0][j] = 0;
        down[0][j] = -1000;
    }
    for (i = 1; i <= LEFT; i++)
        for (j = 1; j <= RIGHT; j++) {
            down[i][j] = MAX(best[i - 1][j] - OPEN, down[i - 1][j] - WIDEN);
            across[i][j] = MAX(best[i][j - 1] - OPEN, across[i][j - 1] - WIDEN);
            best[i][j] = MAX(0, best[i - 1][j - 1] + SCORE(left[i - 1], right[j - 1]));
            best[i][j] = MAX(best[i][j], MAX(down[i][j], across[i][j]));
            top = MAX(top, best[i][j]);
        }
#pragma endscop
    return top;
}

int main(void)
{
    long sum = 0;
    int length, score;

    for (int i = 0; i < LEFT; i++)
        left[i] = (char)('a' + (i * 7 + i / 5 + i / 11) % 4);
    for (int j = 0; j < RIGHT; j++)
        right[j] = (char)('a' + (j * 5 + j / 3 + j / 13) % 4);

    length = common();
    score = local();

    for (int i = 0; i <= LEFT; i++)
        for (int j = 0; j <= RIGHT; j++)
            sum += (long)(lcs[i][j] + best[i][j]) * (1 + (i + 2 * j) % 27);
    printf("align %d %d %ld\n", length, score, sum);
    return 0;
}
