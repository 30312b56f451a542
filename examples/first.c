#include <math.h>
#include <nis.h>
#include <stdio.h>

static double ridge(double *x, size_t dim, void *width)
{
  return exp(-pow((x[0] + x[1] - 2 * x[dim - 1]) / *(double *)width, 2));
}

int main(void)
{
  double width = 0.05;
  nis_result r = nis_integrate(ridge, 3, .params = &width, .calls = 200000);
  printf("%.6f +- %.6f (%s)\n", r.value, r.error, nis_strerror(r.status));
}
