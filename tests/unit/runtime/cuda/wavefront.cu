// Gauss-Seidel: one launch per anti-diagonal, thousands of small launches.
#include "program.h"

__global__ void diagonal(double* A, int n, int d, int n_diagonals) {
  int i = 1 + blockIdx.x * blockDim.x + threadIdx.x;
  for (int k = d; k < d + n_diagonals; k++) {
    int j = k - i;
    if (i < n - 1 && j >= 1 && j < n - 1)
      A[i * n + j] = 0.25 * (A[(i - 1) * n + j] + A[i * n + j - 1] + A[i * n + j + 1] +
                             A[(i + 1) * n + j]);
  }
}

int main(int argc, char** argv) {
  const int n = 50, steps = 20;
  fault = argc > 1 ? argv[1] : "";
  static double A[n][n], R[n][n];
  for (int i = 0; i < n; i++)
    for (int j = 0; j < n; j++) A[i][j] = R[i][j] = (i * 7 + j * 3) % 13;
  double* dA;
  CHECK(cudaMalloc(&dA, sizeof A));
  PS_NAME(dA, "A");
  CHECK(cudaMemcpy2D(dA, n * 8, A, n * 8, n * 8, n, cudaMemcpyHostToDevice));
  int width = IS("two-at-once") ? 2 : 1;
  for (int t = 0; t < steps; t++)
    for (int d = 2; d <= 2 * n - 4; d += width) {
      PS_LAUNCH(diagonal, dim3((n + 15) / 16), dim3(16), 0, dA, n, d, width);
      CHECK(cudaGetLastError());
    }
  CHECK(cudaMemcpy(A, dA, sizeof A, cudaMemcpyDeviceToHost));
  CHECK(cudaFree(dA));
  int n_wrong = 0;
  for (int t = 0; t < steps; t++)
    for (int i = 1; i < n - 1; i++)
      for (int j = 1; j < n - 1; j++)
        R[i][j] = 0.25 * (R[i - 1][j] + R[i][j - 1] + R[i][j + 1] + R[i + 1][j]);
  for (int i = 0; i < n; i++)
    for (int j = 0; j < n; j++) n_wrong += A[i][j] != R[i][j];
  return finish(n_wrong);
}
