#include <cmath>
#include <cstdio>
#include <nis.hpp>

int main()
{
  double width = 0.05;
  auto ridge = [width](nis::point x) {
    return std::exp(-std::pow((x[0] + x[1] - 2 * x[2]) / width, 2));
  };
  nis::options o;
  o.calls = 2e5;
  nis::result r = nis::integrate(ridge, 3, o); // C++20: nis::integrate(ridge, 3, {.calls = 2e5})
  std::printf("%.6f +- %.6f %s\n", r.value, r.error, r.message.c_str());
}
