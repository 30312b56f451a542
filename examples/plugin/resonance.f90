! SPDX-License-Identifier: GPL-3.0-or-later
! A plug-in for the command `nis` in Fortran: a resonance in each of two invariant masses squared.
!
!     make && nis integrate ./resonance.so:resonance --upper 4
!
! f = prod_j w / ((x_j - 1)^2 + w^2) with w = 0.05 on (0, 4)^2: the integral is
! (atan(3 / w) + atan(1 / w))^2 = 9.455435175999245.
module resonance_plugin
  use, intrinsic :: iso_c_binding, only: c_double, c_ptr, c_size_t
  implicit none

  ! This many dimensions and no others; without it the command needs --dim.
  integer(c_size_t), bind(c, name="resonance_dim") :: resonance_dim = 2

contains

  ! Called from several threads at once: no `save`. params is a null pointer.
  function resonance(x, dim, params) result(f) bind(c)
    real(c_double), intent(in) :: x(*)
    integer(c_size_t), value :: dim
    type(c_ptr), value :: params
    real(c_double) :: f
    real(c_double), parameter :: w = 0.05_c_double
    f = product(w / ((x(1:dim) - 1)**2 + w**2))
  end function resonance

end module resonance_plugin
