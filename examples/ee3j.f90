! SPDX-License-Identifier: GPL-3.0-or-later
! e+ e- -> q qbar g at leading order, written in Fortran: the cross section inside JADE's cut, and
! events for the next program in the chain.
!
! With the quarks' energy fractions x1, x2 and massless partons
!
!     dsigma = sigma0 alpha_s C_F / 2 pi (x1^2 + x2^2) / ((1 - x1)(1 - x2)) dx1 dx2
!
! (Ellis, Gaillard, Ross, Nucl. Phys. B 111 (1976) 253), where 1 - x_i = y_jk must be above ycut for
! all three. cos(theta) and phi are the quark's direction, chi turns the event around it; they
! follow the leptons' momenta as for photons, so Z's small forward-backward asymmetry is left out.
! The value is that of `nis integrate ee3j`, and must agree with `nis list ee3j`.
module three_jets
  use nis
  implicit none
  real(c_double), parameter :: pi = acos(-1._c_double), sqrts = 91.188_c_double
  real(c_double), parameter :: alpha_s = 0.118_c_double, ycut = 0.01_c_double
  real(c_double), parameter :: sigma0 = 7229.681374778052_c_double ! pb, e+ e- -> u ubar there
  real(c_double), parameter :: exact = 5058.20392697032_c_double   ! pb, `nis list ee3j`
contains

  ! Momenta (energy last, in units of sqrts / 2) of quark, antiquark and gluon
  pure recursive function momenta(x) result(p)
    real(c_double), intent(in) :: x(:)
    real(c_double) :: p(4, 3), along(3), across(3), cosine, c, s, cp, sp
    c = x(3)
    s = sqrt((1 - c)*(1 + c))
    cp = cos(x(4))
    sp = sin(x(4))
    along = [s*cp, s*sp, c]
    across = cos(x(5))*[c*cp, c*sp, -s] + sin(x(5))*[-sp, cp, 0._c_double]
    cosine = 1 - 2*(x(1) + x(2) - 1)/(x(1)*x(2)) ! between the quarks
    p(:, 1) = [x(1)*along, x(1)]
    p(:3, 2) = x(2)*(cosine*along + sqrt(max(0._c_double, (1 - cosine)*(1 + cosine)))*across)
    p(4, 2) = x(2)
    p(:, 3) = [-p(:3, 1) - p(:3, 2), 2 - x(1) - x(2)]
  end function momenta

  ! dsigma / (dx1 dx2 dcos(theta) dphi dchi) in pb
  recursive function spectrum(x) result(f)
    real(c_double), intent(in) :: x(:)
    real(c_double) :: f, p(4, 3), leptons
    f = 0
    if (min(1 - x(1), 1 - x(2), x(1) + x(2) - 1) < ycut) return
    p = momenta(x)
    ! x1^2 (1 + cos^2 theta1) + x2^2 (1 + cos^2 theta2), of which 4/3 (x1^2 + x2^2) is the mean
    leptons = 0.75_c_double*sum(p(4, :2)**2 + p(3, :2)**2)
    f = sigma0*alpha_s*(4/3._c_double)/(2*pi)*leptons/((1 - x(1))*(1 - x(2)))/(8*pi**2)
  end function spectrum

  recursive subroutine particles(x, event)
    real(c_double), intent(in) :: x(:)
    type(nis_event), intent(inout) :: event
    integer, parameter :: first(4) = [4, 1, 2, 3] ! C has the energy first
    real(c_double) :: p(4, 3)
    integer :: i
    p = sqrts/2*momenta(x)
    event%nparticles = 5
    event%scale = sqrts
    event%alpha_em = 1/128._c_double
    event%alpha_s = alpha_s
    event%particle(:5)%pdg = [-11, 11, 2, -2, 21]
    event%particle(:5)%status = [-1, -1, 1, 1, 1]
    event%particle(:5)%spin = 9
    event%particle(1)%p = sqrts/2*[1, 0, 0, 1]
    event%particle(2)%p = sqrts/2*[1, 0, 0, -1]
    do i = 3, 5
      event%particle(i)%mother = [1, 2]
      event%particle(i)%p = p(first, i - 2)
    end do
    event%particle(3)%colour = [501, 0]
    event%particle(4)%colour = [0, 502]
    event%particle(5)%colour = [502, 501]
  end subroutine particles

end module three_jets

program ee3j
  use three_jets
  implicit none
  type(nis_sampler) :: sampler
  type(nis_result) :: result
  type(nis_options) :: options
  type(nis_event_options) :: wanted
  type(nis_event_summary) :: made

  options = nis_options(calls=50000, seed=1)
  options%lower = [2*ycut, 2*ycut, -1._c_double, 0._c_double, 0._c_double]
  options%upper = [1 - ycut, 1 - ycut, 1._c_double, 2*pi, 2*pi]
  options%periodic = [.false., .false., .false., .true., .true.]
  call sampler%create(spectrum, 5, options)
  call sampler%run(result)
  print '(a, f9.3, a, f6.3, a, f9.3)', 'sigma', result%value, ' +-', result%error, &
    ' pb; exact', exact
  if (abs(result%value - exact) > 5*result%error) error stop 'they do not agree'

  wanted = nis_event_options(events=1000, force=.true.)
  wanted%path = 'ee3j.lhe'
  wanted%particles => particles
  call sampler%events(wanted, made)
  print '(i0, a, f6.3, a)', made%events, ' events in ee3j.lhe, efficiency', made%efficiency%value
end program ee3j
