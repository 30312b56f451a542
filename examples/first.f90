module ridges
  use nis
  implicit none
contains
  recursive function ridge(x) result(f)
    real(c_double), intent(in) :: x(:)
    real(c_double) :: f
    f = exp(-((x(1) + x(2) - 2*x(3))/0.05_c_double)**2)
  end function ridge
end module ridges

program first
  use ridges
  type(nis_result) :: result
  call nis_integrate(ridge, 3, result, calls=200000, seed=7)
  print '(f8.6, a, f8.6, 1x, a)', result%value, ' +- ', result%error, nis_strerror(result%status)
end program first
