! SPDX-License-Identifier: GPL-3.0-or-later
! Fortran's module: each kind of integrand, what comes out of the library and of the sampler, files,
! events, and what is refused with which sentence. Ends with 1 when a check fails.
!
! The program calls itself with the argument `stop`, which must end it.
module fortran_cases
  use, intrinsic :: iso_c_binding
  use, intrinsic :: iso_fortran_env, only: error_unit, int64, real64
  use, intrinsic :: ieee_arithmetic, only: ieee_is_nan
  use nis
  implicit none

  integer :: failures = 0, checks = 0
  integer :: counted = 0, progress_calls = 0, seen_points = 0, seen_events = 0
  real(c_double) :: seen_sum = 0

  type, extends(nis_integrand) :: power
    real(c_double) :: exponent = 1
    real(c_double), allocatable :: factors(:) ! so that a copy is a deep one
  contains
    procedure :: evaluate => power_value
  end type power

  type, extends(nis_vector_integrand) :: powers
    integer :: highest = 2
  contains
    procedure :: evaluate => powers_values
  end type powers

  type, extends(nis_batch_integrand) :: many_powers
    integer :: highest = 2
  contains
    procedure :: evaluate => many_powers_values
  end type many_powers

  type, extends(nis_event_sink) :: histogram
    real(c_double) :: bins(4) = 0
    integer :: blocks = 0, most_blocks = huge(0)
  contains
    procedure :: take => fill
  end type histogram

contains

  subroutine check(ok, what)
    logical, intent(in) :: ok
    character(*), intent(in) :: what
    checks = checks + 1
    if (ok) return
    failures = failures + 1
    write (error_unit, '(2a)') 'failed: ', what
  end subroutine check

  ! A status with a sentence that has the word
  subroutine check_refused(status, right, message, word)
    integer, intent(in) :: status, right
    character(*), intent(in) :: message, word
    call check(status == right, 'the status of "'//message//'"')
    call check(index(message, word) > 0, '"'//word//'" in "'//message//'"')
  end subroutine check_refused

  pure function near(a, b, tolerance)
    real(c_double), intent(in) :: a, b, tolerance
    logical :: near
    near = abs(a - b) <= tolerance
  end function near

  ! To the bit
  pure function same(a, b)
    real(c_double), intent(in) :: a, b
    logical :: same
    same = transfer(a, 0_int64) == transfer(b, 0_int64)
  end function same

  ! 1 in any dimension
  pure recursive function slope(x) result(value)
    real(c_double), intent(in) :: x(:)
    real(c_double) :: value
    value = 0.5_c_double + x(1)
  end function slope

  recursive function unit(x) result(value)
    real(real64), intent(in) :: x(:)
    real(real64) :: value
    value = 1 + 0*x(1)
  end function unit

  recursive function never(x) result(value)
    real(c_double), intent(in) :: x(:)
    real(c_double) :: value
    call nis_refuse()
    value = x(1)
  end function never

  function counting(x) result(value)
    real(c_double), intent(in) :: x(:)
    real(c_double) :: value
    counted = counted + 1
    value = 0.5_c_double + x(1)
  end function counting

  ! With the distance from the middle besides
  recursive function with_extra(x) result(value)
    real(c_double), intent(in) :: x(:)
    real(c_double) :: value
    real(c_double), pointer :: outputs(:)
    value = 0.5_c_double + x(1)
    outputs => nis_extra(2)
    if (.not. associated(outputs)) return
    outputs(1) = x(1) - 0.5_c_double
    outputs(2) = value
  end function with_extra

  ! 1, 1/2, 1/3
  recursive subroutine moments(x, values)
    real(c_double), intent(in) :: x(:)
    real(c_double), intent(out) :: values(:)
    integer :: c
    do c = 1, size(values)
      values(c) = x(1)**(c - 1)
    end do
  end subroutine moments

  recursive subroutine many_moments(x, values)
    real(c_double), intent(in) :: x(:, :)
    real(c_double), intent(out) :: values(:, :)
    integer :: c
    do c = 1, size(values, 1)
      values(c, :) = x(1, :)**(c - 1)
    end do
  end subroutine many_moments

  recursive function power_value(self, x) result(value)
    class(power), intent(in) :: self
    real(c_double), intent(in) :: x(:)
    real(c_double) :: value
    value = (self%exponent + 1)*x(1)**self%exponent
    if (allocated(self%factors)) value = value*product(self%factors)
  end function power_value

  recursive subroutine powers_values(self, x, values)
    class(powers), intent(in) :: self
    real(c_double), intent(in) :: x(:)
    real(c_double), intent(out) :: values(:)
    integer :: c
    values = 0
    do c = 1, self%highest + 1
      values(c) = x(1)**(c - 1)
    end do
  end subroutine powers_values

  recursive subroutine many_powers_values(self, x, values)
    class(many_powers), intent(in) :: self
    real(c_double), intent(in) :: x(:, :)
    real(c_double), intent(out) :: values(:, :)
    integer :: c
    values = 0
    do c = 1, self%highest + 1
      values(c, :) = x(1, :)**(c - 1)
    end do
  end subroutine many_powers_values

  subroutine fill(self, events, stop)
    class(histogram), intent(inout) :: self
    type(nis_event_block), intent(in) :: events
    logical, intent(inout) :: stop
    integer :: i, bin
    do i = 1, size(events%weight)
      bin = 1 + int(4*events%x(1, i))
      self%bins(bin) = self%bins(bin) + events%weight(i)
    end do
    self%blocks = self%blocks + 1
    stop = self%blocks >= self%most_blocks
  end subroutine fill

  subroutine watch(now, stop)
    type(nis_progress), intent(in) :: now
    logical, intent(inout) :: stop
    progress_calls = progress_calls + 1
    stop = now%calls < 0
  end subroutine watch

  subroutine stop_at_once(now, stop)
    type(nis_progress), intent(in) :: now
    logical, intent(inout) :: stop
    stop = now%phase >= nis_training
  end subroutine stop_at_once

  subroutine take_points(points, stop)
    type(nis_point_block), intent(in) :: points
    logical, intent(inout) :: stop
    seen_points = seen_points + size(points%weight)
    if (associated(points%outputs)) seen_sum = seen_sum + sum(points%outputs(1, :)*points%weight)
    if (size(points%components, 1) < 1 .or. size(points%x, 2) /= size(points%log_q)) stop = .true.
  end subroutine take_points

  subroutine take_events(events, stop)
    type(nis_event_block), intent(in) :: events
    logical, intent(inout) :: stop
    seen_events = seen_events + size(events%weight)
    if (any(events%trials < 1)) stop = .true.
  end subroutine take_events

  ! e+ e- -> mu+ mu- along x
  recursive subroutine muons(x, event)
    real(c_double), intent(in) :: x(:)
    type(nis_event), intent(inout) :: event
    real(c_double) :: e
    integer :: i
    e = 50 + 0*x(1)
    event%nparticles = 4
    event%scale = 2*e
    event%particle(:4)%pdg = [11, -11, 13, -13]
    event%particle(:4)%status = [-1, -1, 1, 1]
    event%particle(:4)%spin = 9
    event%particle(3)%mother = [1, 2]
    event%particle(4)%mother = [1, 2]
    do i = 1, 4
      event%particle(i)%p = [e, 0._c_double, 0._c_double, 0._c_double]
    end do
    event%particle(1)%p(4) = e
    event%particle(2)%p(4) = -e
    event%particle(3)%p(2) = e
    event%particle(4)%p(2) = -e
  end subroutine muons

  function quick() result(o)
    type(nis_options) :: o
    o%calls = 2000
    o%threads = 2
    o%effort = 0.01_c_double
    o%seed = 3
  end function quick

  ! ---- the cases ---------------------------------------------------------------------------------

  subroutine functions()
    type(nis_result) :: r, again
    character(:), allocatable :: message
    integer :: status
    call nis_integrate(slope, 3, r, calls=2000, seed=3, options=quick())
    call check(r%status == nis_ok .and. near(r%value, 1._c_double, 0.02_c_double), 'a function')
    call check(r%calls <= 2000 .and. r%train_calls > 0 .and. r%seed == 3, 'members of the result')
    call check(r%error > 0 .and. r%error < 0.02 .and. r%ess > 0, 'its error')
    call nis_integrate(slope, 3, again, calls=2e3, seed=3_int64, options=quick())
    call check(same(r%value, again%value), 'calls as a real')
    call nis_integrate(slope, 3, again, calls=2d3, threads=1, options=quick(), message=message)
    call check(same(r%value, again%value) .and. message == '', 'one thread, and no message')
    call nis_integrate(slope, 3, again, 2000_int64, seed=4, options=quick(), status=status)
    call check(.not. same(r%value, again%value) .and. status == nis_ok, 'another seed')

    call nis_integrate(unit, 2, r, calls=2000, lower=[0d0, -1d0], upper=[2d0, 2d0], &
                       periodic=[.false., .true.], threads=1)
    call check(near(r%value, 6d0, 1d-9), 'limits')
    call nis_integrate(slope, 2, r, calls=100000, rel_error=0.1d0, threads=1)
    call check(r%stop == nis_stop_goal .and. r%calls < 100000, 'a goal')
    call nis_integrate(slope, 2, r, calls=3000, abs_error=1d-9, threads=1, status=status)
    call check(status == nis_goal_missed .and. r%status == status, 'a goal that is missed')
    call nis_integrate(slope, 2, r, calls=3000, max_seconds=100d0, threads=1)
    call check(r%stop == nis_stop_calls, 'max_seconds')
    counted = 0
    call nis_integrate(counting, 2, r, calls=3000, serial=.true., threads=2)
    call check(counted == r%calls .and. r%serialized == 0, 'serial')
  end subroutine functions

  subroutine several_values()
    type(nis_result) :: r, again
    real(c_double) :: v(3), e(3), c(3, 3)
    type(nis_options) :: o
    integer :: i
    call nis_integrate(moments, 2, 3, r, v, e, c, options=quick())
    do i = 1, 3
      call check(near(v(i), 1d0/i, 0.02d0), 'a component')
      call check(near(c(i, i), e(i)**2, 1d-12), 'the diagonal of the covariance')
    end do
    call check(same(r%value, v(1)) .and. same(r%error, e(1)), 'the first component')
    call nis_integrate_batch(many_moments, 2, 3, again, values=v, options=quick())
    call check(near(v(3), 1d0/3, 0.02d0), 'many points at once')
    o = quick()
    o%ncomp = 3
    call nis_integrate(powers(highest=1), 2, r, v, options=o)
    call check(near(v(2), 1d0/2, 0.02d0) .and. near(v(3), 0d0, 0d0), 'an object of several values')
    call nis_integrate(many_powers(highest=2), 2, r, v, options=o)
    call check(near(v(3), 1d0/3, 0.02d0), 'an object of many points')
    o%scales = [1d0, 2d0, 3d0]
    call nis_integrate(many_powers(highest=2), 2, r, v, options=o)
    call check(near(v(3), 1d0/3, 0.02d0), 'scales')
  end subroutine several_values

  subroutine objects()
    type(nis_result) :: r
    type(power) :: p
    type(nis_sampler) :: s
    p%exponent = 2
    call nis_integrate(p, 2, r, options=quick())
    call check(near(r%value, 1d0, 0.05d0), 'an object')
    p%factors = [2d0, 3d0]
    call s%create(p, 2, quick())
    p%factors = [0d0]
    p%exponent = 1
    call s%run(r)
    call check(near(r%value, 6d0, 0.3d0), 'the copy of an object')
  end subroutine objects

  subroutine step_by_step()
    type(nis_sampler) :: s, never_made
    type(nis_result) :: r, again
    character(:), allocatable :: message
    real(c_double) :: x(2, 50), log_q(50), weight(50), density(50), wide(4, 50)
    integer :: status
    call s%create(slope, 2, quick())
    call check(s%dim() == 2 .and. s%ncomp() == 1 .and. c_associated(s%handle()), 'what it is')
    call s%train(1000)
    call s%estimate(1000, r)
    call s%estimate(1e3, r)
    call s%current(again)
    call check(near(r%value, 1d0, 0.02d0) .and. same(r%value, again%value), 'train, estimate')
    call s%sample(x, log_q, weight)
    call s%density(x, density)
    call check(all(abs(density - log_q) < 1e-5), 'the density of points that were drawn')
    call check(all(abs(weight*exp(log_q) - x(1, :) - 0.5d0) < 1e-9), 'weights')
    call s%sample(x)
    wide = 0
    call s%sample(wide(1:3:2, :), log_q) ! not contiguous
    call check(all(wide(1:3:2, :) > 0) .and. all(wide(2, :) < 1d-99), 'an array with gaps')
    call s%drop_estimate()
    call s%current(r, status)
    call check(status == nis_suspect .and. r%suspect == nis_few_weights, 'no estimate')

    call s%sample(x(1:1, :), status=status, message=message)
    call check_refused(status, nis_invalid, message, 'a point of x must have 2 elements, got 1')
    call s%density(x, log_q(:3), status, message)
    call check_refused(status, nis_invalid, message, 'log_q must have 50 elements, got 3')
    call s%train(0.5, status, message)
    call check_refused(status, nis_invalid, message, 'calls must be a whole number')
    call s%train(-3, message=message)
    call check_refused(nis_invalid, nis_invalid, message, 'at least 0, got -3')
    call s%train(.true., message=message)
    call check_refused(nis_invalid, nis_invalid, message, 'an integer')
    call s%train(0, status, message)
    call check_refused(status, nis_invalid, message, 'calls')
    call never_made%run(r, status, message)
    call check_refused(status, nis_invalid, message, 'not been created')
    call check(r%status == nis_invalid .and. ieee_is_nan(r%value), 'the result of no run')
    call never_made%free()
    call check(.not. c_associated(never_made%handle()) .and. never_made%dim() == 0, 'no handle')
  end subroutine step_by_step

  subroutine components()
    type(nis_sampler) :: s
    type(nis_result) :: r
    real(c_double) :: value, error, v(3), e(3), c(3, 3)
    character(:), allocatable :: message
    integer :: status
    call s%create(moments, 2, 3, quick())
    call s%run(r)
    call s%values(v, e)
    call s%covariance(c)
    call s%ratio(2, 1, value, error)
    call check(same(value, v(2)/v(1)) .and. error > 0 .and. error < 1, 'a ratio')
    call s%combine([1d0, -1d0, 0d0], value, error)
    call check(near(value, v(1) - v(2), 1d-12), 'a combination')
    call check(near(error**2, c(1, 1) + c(2, 2) - 2*c(1, 2), 1d-12), 'and its error')
    call s%ratio(0, 1, value, error, status, message)
    call check_refused(status, nis_invalid, message, 'components are 1 .. 3, got 0 and 1')
    call s%values(v(:2), e, status, message)
    call check_refused(status, nis_invalid, message, 'values must have 3 elements, got 2')
    call s%covariance(c(:, :2), message=message)
    call check_refused(nis_invalid, nis_invalid, message, 'a row of the covariance')
    call s%create(moments, 2, 3, nis_options(ncomp=2), status, message)
    call check_refused(status, nis_invalid, message, 'ncomp is 3, but options%ncomp 2')
    call check(.not. c_associated(s%handle()), 'what failed has no handle')
    call s%create_batch(many_moments, 2, 3, quick())
    call s%run(r)
    call check(near(r%value, 1d0, 0.02d0), 'create_batch')
  end subroutine components

  ! Sharing, freeing, and samplers that go out of scope
  subroutine owners()
    type(nis_sampler) :: a, b, several(3)
    type(nis_result) :: r
    call a%create(slope, 2, quick())
    b = a
    several(2) = a
    a = a
    call a%free()
    call b%run(r)
    call check(near(r%value, 1d0, 0.02d0), 'the second owner')
    call several(2)%current(r)
    call check(near(r%value, 1d0, 0.02d0), 'the third owner')
    call b%create(unit, 2, quick())
    call several(2)%current(r)
    call check(near(r%value, 1d0, 0.02d0), 'the last owner')
    call several(1)%create(slope, 1, quick())
  end subroutine owners

  subroutine callbacks()
    type(nis_result) :: r
    type(nis_options) :: o
    character(:), allocatable :: message
    integer :: status
    o = quick()
    o%progress => watch
    progress_calls = 0
    call nis_integrate(slope, 2, r, options=o)
    call check(progress_calls > 0, 'progress')
    o%progress => stop_at_once
    call nis_integrate(slope, 2, r, options=o, status=status, message=message)
    call check_refused(status, nis_stopped, message, '')
    call nis_integrate(never, 2, r, options=quick(), status=status, message=message)
    call check_refused(status, nis_callback, message, '')
    call check(nis_thread() == 0, 'outside of a run')
    call check(.not. associated(nis_extra(2)), 'no outputs outside of a run')
  end subroutine callbacks

  subroutine files()
    type(nis_sampler) :: s, t, again
    type(nis_result) :: r, other
    type(nis_saved) :: saved
    type(nis_options) :: o
    character(:), allocatable :: message
    integer :: status
    o = quick()
    o%name = 'slope of=1  '
    o%lower = [0d0, 0d0]
    call s%create(slope, 2, o)
    call s%run(r)
    call s%save('test_fortran.nis  ')
    call nis_inspect('test_fortran.nis', saved)
    call check(saved%name == 'slope of=1' .and. saved%dim == 2 .and. saved%options%seed == 3 .and. &
               same(saved%result%value, r%value), 'what is in the file')
    call t%load('test_fortran.nis', slope)
    call s%estimate(1000, r)
    call t%estimate(1000, other)
    call check(same(r%value, other%value) .and. t%dim() == 2, 'a loaded one goes on')
    call again%load('test_fortran.nis', slope, nis_options(seed=8))
    call again%drop_estimate()
    call again%estimate(1000, other)
    call again%merge(t)
    call again%current(other)
    call check(near(other%value, 1d0, 0.02d0), 'merge')
    call s%merge(t, status, message)
    call check_refused(status, nis_invalid, message, 'in both estimates')
    call t%drop_estimate()
    call t%estimate_part(2000, 1, 2, other)
    call check(near(other%value, 1d0, 0.05d0), 'a part')
    call s%load('test_fortran.nis', moments, 3, status=status, message=message)
    call check_refused(status, nis_invalid, message, 'ncomp')
    call s%load('no such file.nis', slope, status=status, message=message)
    call check_refused(status, nis_no_file, message, 'no such file.nis')
    call nis_inspect('no such file.nis', saved, status)
    call check(status == nis_no_file .and. saved%name == '', 'no file to inspect')

    call t%create(moments, 2, 3, quick())
    call t%run(r)
    call t%save('test_fortran.nis')
    call s%load('test_fortran.nis', moments, 3)
    call s%current(other)
    call check(same(r%value, other%value) .and. s%ncomp() == 3, 'several values in a file')
    call s%load('test_fortran.nis', powers(highest=2))
    call s%load_batch('test_fortran.nis', many_moments, 3)
    call check(s%ncomp() == 3, 'many points and a file')

    o = quick()
    o%checkpoint = 'test_fortran.point'
    call remove('test_fortran.point')
    call s%resume(slope, 2, o)
    call s%run(r)
    call s%free()
    call s%resume(counting, 2, o)
    counted = 0
    call s%run(other)
    call check(counted == 0 .and. same(r%value, other%value), 'values from a checkpoint')
    call s%free()
    call remove('test_fortran.point')
    call remove('test_fortran.nis')
  end subroutine files

  subroutine remove(path)
    character(*), intent(in) :: path
    integer :: unit_number, status
    open (newunit=unit_number, file=path, iostat=status)
    if (status == 0) close (unit_number, status='delete')
  end subroutine remove

  subroutine generation()
    type(nis_sampler) :: s, t
    type(nis_result) :: r
    type(nis_event_options) :: o
    type(nis_event_summary) :: made
    type(nis_pulled_event) :: event
    type(histogram) :: h
    character(:), allocatable :: message
    character(80) :: line
    integer :: status, input
    call s%create(slope, 2, quick())
    call s%events(nis_event_options(events=10), status=status, message=message)
    call check_refused(status, nis_invalid, message, '')
    call s%run(r)
    call s%events(h, nis_event_options(events=1000), made)
    call check(made%events == 1000 .and. near(sum(h%bins), made%sum_weights, 1d-9), 'an object')
    call check(h%bins(4) > h%bins(1) .and. made%efficiency%value > 0.3, 'what it took')
    h%blocks = 0
    h%most_blocks = 1
    call s%events(h, nis_event_options(events=100000), made, status, message)
    call check_refused(status, nis_stopped, message, '')
    o%events = 100
    o%sink => take_events
    o%unit_weights = .true.
    o%w_max = nis_w_max_median
    seen_events = 0
    call s%events(o, made)
    call check(seen_events == 100 .and. made%rules(2)%w_max > 0, 'a procedure')
    call s%next_event(event)
    call check(size(event%x) == 2 .and. event%trials > 0 .and. abs(event%weight) > 0, 'one event')
    call s%next_event(event, nis_event_options(events=3), status, message)
    call check(.not. associated(event%x) .or. status >= 0, 'options of one event')

    o = nis_event_options(events=10, force=.true.)
    o%particles => muons
    o%path = 'test_fortran.lhe'
    o%header = 'made by: test_fortran'//new_line('a')
    call nis_check_events(o)
    call s%events(o, made)
    open (newunit=input, file='test_fortran.lhe', status='old')
    read (input, '(a)') line
    close (input)
    call check(index(line, 'LesHouchesEvents') > 0 .and. made%events == 10, 'a file')
    o%force = .false.
    call nis_check_events(o, status, message)
    call check_refused(status, nis_no_file, message, 'test_fortran.lhe')
    call nis_check_format(nis_format_npy)

    o = nis_event_options(events=10, force=.true.)
    o%path = 'test_fortran_1.txt'
    call s%save('test_fortran.nis')
    call t%load('test_fortran.nis', slope, nis_options(seed=99))
    call s%events(o)
    o%path = 'test_fortran_2.txt'
    call t%events(o)
    call nis_merge_events(['test_fortran_1.txt', 'test_fortran_2.txt'], 'test_fortran.txt', .true.)
    call nis_merge_events(['test_fortran_1.txt', 'test_fortran_1.txt'], 'test_fortran.txt', &
                          .true., status, message)
    call check_refused(status, nis_invalid, message, 'test_fortran_1.txt')
    call remove('test_fortran.lhe')
    call remove('test_fortran.nis')
    call remove('test_fortran.txt')
    call remove('test_fortran_1.txt')
    call remove('test_fortran_2.txt')
  end subroutine generation

  ! The points of the estimate, and what the integrand gave there besides, which events have too
  subroutine points_and_outputs()
    type(nis_sampler) :: s
    type(nis_result) :: r
    type(nis_pulled_event) :: event
    type(nis_options) :: o
    o = quick()
    o%sink => take_points
    o%extra = 2
    seen_points = 0
    seen_sum = 0
    call s%create(with_extra, 2, o)
    call s%run(r)
    call check(seen_points == r%calls - r%train_calls, 'the points of the estimate')
    call check(near(seen_sum/seen_points, 1d0/12, 0.02d0), 'outputs of points')
    call s%next_event(event)
    call check(size(event%outputs) == 2 .and. same(event%outputs(1), event%x(1) - 0.5d0), &
               'outputs of an event')
  end subroutine points_and_outputs

  subroutine option_names()
    type(nis_options) :: o, full
    type(nis_event_options) :: e
    character(:), allocatable :: message
    integer :: status
    call nis_set(o, 'bins', '16')
    call nis_set(o, 'layers ', 3)
    call nis_set(o, 'calls', 1e6)
    call nis_set(o, 'rel_error', 1d-3)
    call nis_set(o, 'loss', 'kl ')
    call nis_set(o, 'serial', .true.)
    call nis_set(o, 'seed', 7_int64)
    call check(o%bins == 16 .and. o%layers == 3 .and. o%calls == 1000000 .and. o%seed == 7 .and. &
               o%loss == nis_loss_kl .and. o%serial .and. same(o%rel_error, 1d-3), 'by name')
    call nis_set(o, 'bins', 1000, status, message)
    call check_refused(status, nis_invalid, message, 'bins')
    call nis_set(o, 'bims', 10, status, message)
    call check_refused(status, nis_invalid, message, 'bims')
    call nis_set(o, 'lower', 0, status, message)
    call check_refused(status, nis_invalid, message, 'lower')
    call nis_set(o, 'bins', (1., 2.), status, message)
    call check_refused(status, nis_invalid, message, 'another type')
    call check(o%bins == 16, 'what was refused is not set')
    call nis_complete(o, 4, full)
    call check(full%bins == 16 .and. full%hidden_width > 0 .and. full%train_share > 0, 'complete')
    call nis_complete(nis_options(bins=1), 4, full, status, message)
    call check_refused(status, nis_invalid, message, 'bins')
    o%upper = [1d0]
    call nis_complete(o, 4, full, status, message)
    call check_refused(status, nis_invalid, message, 'upper must have 4 elements, got 1')
    call nis_set(e, 'events', 1e4)
    call nis_set(e, 'w_max', 'median')
    call nis_set(e, 'tail', 0.01d0)
    call check(e%events == 10000 .and. e%w_max == nis_w_max_median .and. same(e%tail, 0.01d0), &
               'of events by name')
    call nis_set(e, 'tail', 2, status, message)
    call check_refused(status, nis_invalid, message, 'tail')
  end subroutine option_names

  subroutine refusals()
    type(nis_result) :: r
    type(nis_options) :: o
    character(:), allocatable :: message
    integer :: status
    real(c_double) :: v(2)
    call nis_integrate(slope, 0, r, status=status, message=message)
    call check_refused(status, nis_invalid, message, 'dim')
    call check(r%status == nis_invalid .and. ieee_is_nan(r%value), 'the result of an error')
    call nis_integrate(slope, -1, r, status=status, message=message)
    call check_refused(status, nis_invalid, message, 'dim')
    call nis_integrate(slope, 2, r, calls=1e30, status=status, message=message)
    call check_refused(status, nis_invalid, message, 'calls must be a whole number')
    call nis_integrate(slope, 2, r, seed='seven', message=message)
    call check_refused(nis_invalid, nis_invalid, message, 'seed must be an integer')
    call nis_integrate(slope, 2, r, calls=1000, lower=[0d0], status=status, message=message)
    call check_refused(status, nis_invalid, message, 'lower must have 2 elements, got 1')
    call nis_integrate(slope, 2, r, periodic=[.true.], status=status, message=message)
    call check_refused(status, nis_invalid, message, 'periodic must have 2 elements, got 1')
    allocate (o%hints(1, 3), source=0.5d0)
    call nis_integrate(slope, 2, r, options=o, status=status, message=message)
    call check_refused(status, nis_invalid, message, 'a point of hints must have 2 elements, got 1')
    deallocate (o%hints)
    allocate (o%hints(2, 1), source=0.5d0)
    call nis_integrate(slope, 2, r, calls=2000, options=o)
    call check(near(r%value, 1d0, 0.02d0), 'hints')
    call nis_integrate(moments, 2, 3, r, v, options=quick(), status=status, message=message)
    call check_refused(status, nis_invalid, message, 'values must have 3 elements, got 2')
    call check(nis_strerror(nis_ok) /= '', 'the meaning of a status')
    call check(index(nis_version(), '.') > 0, 'the version')
  end subroutine refusals

  ! Without `status` and `message` an error ends the program
  subroutine stops()
    character(512) :: self
    integer :: ended, status
    call get_command_argument(0, self)
    call execute_command_line('"'//trim(self)//'" stop 2>test_fortran.log', exitstat=ended, &
                              cmdstat=status)
    call check(status == 0 .and. ended == 1, 'an error without status= stops')
    block
      character(200) :: line
      logical :: said
      integer :: input
      said = .false.
      open (newunit=input, file='test_fortran.log', status='old')
      do
        read (input, '(a)', iostat=status) line
        if (status /= 0) exit
        if (index(line, 'nis: dim') == 1) said = .true.
      end do
      close (input)
      call check(said, 'its sentence')
    end block
    call remove('test_fortran.log')
  end subroutine stops

end module fortran_cases

program test_fortran
  use fortran_cases
  implicit none
  character(8) :: argument
  type(nis_result) :: r
  call get_command_argument(1, argument)
  if (argument == 'stop') then
    call nis_integrate(slope, 0, r)
    stop
  end if
  call functions()
  call several_values()
  call objects()
  call step_by_step()
  call components()
  call owners()
  call callbacks()
  call files()
  call generation()
  call points_and_outputs()
  call option_names()
  call refusals()
  if (argument /= 'valgrind') call stops()
  print '(i0, a, i0, a)', checks, ' checks, ', failures, ' failures'
  if (failures > 0) error stop 1
end program test_fortran
