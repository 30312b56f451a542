! SPDX-License-Identifier: GPL-3.0-or-later
!
! libnis for Fortran 2008: functions and objects as integrands, samplers that free themselves.
!
!     call nis_integrate(f, 4, result, calls=1000000, seed=7)
!     print *, result%value, '+-', result%error
!
! Names and meanings are those of nis.h and nis_events.h, which say more. What fails (a negative
! status) ends the program with its sentence on the error unit, unless the call has `status` or
! `message`: then these say it. What ends early or is suspect is a positive status, and never stops.
!
! Integrands are called from several threads at once unless `serial` is .true.: no `save`, COMMON or
! initial values of local variables, `recursive` where there are large local arrays (gfortran saves
! those above 64 kB otherwise), and no internal procedures, which stand on the caller's stack.
!
! Invariant: a handle's params point to the `state` that its sampler owns, which has what the
! trampolines call and lives longer than the handle. Structs are handed over with their sizes, so
! that a program goes on working with newer libraries.
module nis
  use, intrinsic :: iso_c_binding
  use, intrinsic :: iso_fortran_env, only: error_unit, int32, int64, real32, real64
  use, intrinsic :: ieee_arithmetic, only: ieee_quiet_nan, ieee_value
  implicit none
  private

  public :: nis_integrate, nis_integrate_batch, nis_sampler, nis_options, nis_result, nis_set
  public :: nis_any_integrand, nis_integrand, nis_vector_integrand, nis_batch_integrand
  public :: nis_progress, nis_point_block, nis_event_block, nis_event_sink, nis_event_options
  public :: nis_event_summary, nis_share, nis_unweighting, nis_pulled_event
  public :: nis_channel_result
  public :: nis_particle, nis_event, nis_saved, nis_inspect, nis_complete
  public :: nis_merge_events, nis_check_events, nis_check_format
  public :: nis_strerror, nis_last_error, nis_version
  public :: nis_refuse, nis_thread, nis_extra
  public :: c_double ! for those who need no more of iso_c_binding
  public :: nis_scalar_call, nis_vector_call, nis_batch_call
  public :: nis_progress_call, nis_points_call, nis_events_call, nis_particles_call

  ! ---- numbers of nis.h and nis_events.h ---------------------------------------------------------

  integer, parameter, public :: nis_ok = 0, nis_stopped = 1, nis_goal_missed = 2, &
    nis_time_limit = 3, nis_suspect = 4, nis_invalid = -1, nis_no_memory = -2, &
    nis_callback = -3, nis_bad_values = -4, nis_no_events = -5, nis_no_file = -6, &
    nis_bad_file = -7, nis_ranks = -8
  integer, parameter, public :: nis_stop_calls = 0, nis_stop_goal = 1, nis_stop_time = 2, &
    nis_stop_callback = 3
  integer, parameter, public :: nis_heavy_tail = 1, nis_large_chi2 = 2, nis_few_weights = 4, &
    nis_late_peak = 8
  integer, parameter, public :: nis_training = 0, nis_integrating = 1, nis_generating = 2, &
    nis_sampling = 3, nis_writing = 4
  integer, parameter, public :: nis_share_uniform = 0, nis_share_flow = 1, nis_share_twin = 2, &
    nis_share_map = 3, nis_share_peaks = 4, nis_shares = 5
  integer, parameter, public :: nis_rational_quadratic = 0, nis_piecewise_quadratic = 1, &
    nis_piecewise_linear = 2, nis_affine = 3
  integer, parameter, public :: nis_loss_default = 0, nis_loss_kl = 1, nis_loss_variance = 2, &
    nis_loss_exponential = 3, nis_loss_hellinger = 4, nis_loss_jeffreys = 5, &
    nis_loss_forward_chi2 = 6
  integer, parameter, public :: nis_signs_apart = 0, nis_signs_together = 1
  integer, parameter, public :: nis_points_default = 0, nis_points_random = 1, nis_points_nets = 2
  integer, parameter, public :: nis_follow_norm = 0, nis_follow_first = 1
  integer, parameter, public :: nis_goal_all = 0, nis_goal_first = 1
  integer, parameter, public :: nis_w_max_tail = 0, nis_w_max_largest = 1, nis_w_max_quantile = 2, &
    nis_w_max_median = 3, nis_w_max_rules = 4
  integer, parameter, public :: nis_format_by_name = 0, nis_format_lhe = 1, nis_format_lhe3 = 2, &
    nis_format_lheh5 = 3, nis_format_hdf5 = 4, nis_format_npy = 5, nis_format_text = 6
  integer, parameter, public :: nis_most_particles = 16

  ! ---- what the library hands out; the members are those of C's structs, in their order ----------

  type, bind(c) :: nis_result
    integer(c_int) :: status = 0
    real(c_double) :: value = 0, error = 0
    real(c_double) :: chi2 = 0
    integer(c_int) :: dof = 0
    real(c_double) :: p_value = 0
    integer(c_int64_t) :: calls = 0, train_calls = 0, bad_calls = 0, zero_calls = 0
    real(c_double) :: ess = 0, efficiency = 0, efficiency_max = 0, efficiency_median = 0
    real(c_double) :: max_weight = 0, max_weight_share = 0, khat = 0
    integer(c_int) :: peaks_found = 0, late_peaks = 0
    integer(c_int64_t) :: search_calls = 0, seed = 0
    integer(c_int) :: stop = 0, suspect = 0, serialized = 0
    real(c_double) :: unseen_volume = 0, blurred_volume = 0, call_seconds = 0
  end type nis_result

  type, bind(c) :: nis_progress
    integer(c_int) :: phase, iteration, finished
    integer(c_int64_t) :: done, total, calls, events
    real(c_double) :: value, error, spread, mean, sigma, efficiency, chi2
    integer(c_int) :: dof
    real(c_double) :: beta
    real(c_double) :: share(nis_shares)
    real(c_double) :: seconds
  end type nis_progress

  ! n points of an estimate, valid during the call only
  type :: nis_point_block
    real(c_double), pointer :: x(:, :) => null()          ! (dim, n)
    real(c_double), pointer :: weight(:) => null()        ! (n)
    real(c_double), pointer :: components(:, :) => null() ! (ncomp, n)
    real(c_double), pointer :: log_q(:) => null()         ! (n)
    real(c_double), pointer :: outputs(:, :) => null()    ! (extra, n)
    integer(c_int64_t) :: before = 0
    integer :: iteration = 0 ! from 0, as in C
    logical :: nets = .false.
  end type nis_point_block

  ! n events, valid during the call only
  type :: nis_event_block
    real(c_double), pointer :: x(:, :) => null()       ! (dim, n)
    real(c_double), pointer :: weight(:) => null()     ! (n)
    real(c_double), pointer :: log_q(:) => null()      ! (n)
    integer(c_int64_t), pointer :: trials(:) => null() ! (n)
    real(c_double), pointer :: outputs(:, :) => null() ! (extra, n)
    real(c_double) :: unit = 0
  end type nis_event_block

  type, bind(c) :: nis_particle
    integer(c_int) :: pdg, status, mother(2), colour(2)
    real(c_double) :: p(4), mass, spin
  end type nis_particle

  type, bind(c) :: nis_event
    integer(c_int) :: nparticles
    real(c_double) :: scale, alpha_em, alpha_s
    type(nis_particle) :: particle(nis_most_particles)
  end type nis_event

  type, bind(c) :: nis_share
    real(c_double) :: value = 0, error = 0
  end type nis_share

  type, bind(c) :: nis_unweighting
    real(c_double) :: w_max = 0, efficiency = 0, error = 0
  end type nis_unweighting

  type, bind(c) :: nis_event_summary
    integer(c_int) :: status = 0
    integer(c_int64_t) :: events = 0, calls = 0, trials = 0, overweights = 0, negatives = 0
    real(c_double) :: sum_weights = 0, sum_squares = 0, overweight_share = 0, w_max = 0, unit = 0
    type(nis_share) :: efficiency, partial, cut
    type(nis_unweighting) :: rules(nis_w_max_rules)
  end type nis_event_summary

  ! x and outputs are the sampler's, valid until its next call; x is null where there is no event
  type :: nis_pulled_event
    real(c_double), pointer :: x(:) => null()
    real(c_double) :: weight = 0, log_q = 0
    integer(c_int64_t) :: trials = 0, calls = 0
    real(c_double) :: unit = 0, w_max = 0
    real(c_double), pointer :: outputs(:) => null()
  end type nis_pulled_event

  ! ---- integrands --------------------------------------------------------------------------------

  ! Objects that carry parameters: extend one of the three. The sampler keeps a copy. Components
  ! that are pointers are shared with the original, and by all threads.
  type, abstract :: nis_any_integrand
  end type nis_any_integrand

  type, abstract, extends(nis_any_integrand) :: nis_integrand
  contains
    procedure(scalar_method), deferred :: evaluate
  end type nis_integrand

  type, abstract, extends(nis_any_integrand) :: nis_vector_integrand
  contains
    procedure(vector_method), deferred :: evaluate
  end type nis_vector_integrand

  type, abstract, extends(nis_any_integrand) :: nis_batch_integrand
  contains
    procedure(batch_method), deferred :: evaluate
  end type nis_batch_integrand

  ! Takes events, called from the calling thread; stop is .false. at first
  type, abstract :: nis_event_sink
  contains
    procedure(sink_method), deferred :: take
  end type nis_event_sink

  abstract interface
    function scalar_method(self, x) result(value)
      import :: c_double, nis_integrand
      class(nis_integrand), intent(in) :: self
      real(c_double), intent(in) :: x(:)
      real(c_double) :: value
    end function scalar_method

    subroutine vector_method(self, x, values)
      import :: c_double, nis_vector_integrand
      class(nis_vector_integrand), intent(in) :: self
      real(c_double), intent(in) :: x(:)
      real(c_double), intent(out) :: values(:)
    end subroutine vector_method

    subroutine batch_method(self, x, values)
      import :: c_double, nis_batch_integrand
      class(nis_batch_integrand), intent(in) :: self
      real(c_double), intent(in) :: x(:, :)
      real(c_double), intent(out) :: values(:, :)
    end subroutine batch_method

    subroutine sink_method(self, events, stop)
      import :: nis_event_block, nis_event_sink
      class(nis_event_sink), intent(inout) :: self
      type(nis_event_block), intent(in) :: events
      logical, intent(inout) :: stop
    end subroutine sink_method

    ! One point, x(dim)
    function nis_scalar_call(x) result(value)
      import :: c_double
      real(c_double), intent(in) :: x(:)
      real(c_double) :: value
    end function nis_scalar_call

    ! One point, values(ncomp + extra)
    subroutine nis_vector_call(x, values)
      import :: c_double
      real(c_double), intent(in) :: x(:)
      real(c_double), intent(out) :: values(:)
    end subroutine nis_vector_call

    ! Many points, x(dim, n) and values(ncomp + extra, n)
    subroutine nis_batch_call(x, values)
      import :: c_double
      real(c_double), intent(in) :: x(:, :)
      real(c_double), intent(out) :: values(:, :)
    end subroutine nis_batch_call

    ! From the calling thread; stop is .false. at first
    subroutine nis_progress_call(now, stop)
      import :: nis_progress
      type(nis_progress), intent(in) :: now
      logical, intent(inout) :: stop
    end subroutine nis_progress_call

    subroutine nis_points_call(points, stop)
      import :: nis_point_block
      type(nis_point_block), intent(in) :: points
      logical, intent(inout) :: stop
    end subroutine nis_points_call

    subroutine nis_events_call(events, stop)
      import :: nis_event_block
      type(nis_event_block), intent(in) :: events
      logical, intent(inout) :: stop
    end subroutine nis_events_call

    ! Fills event, which is all zero; from several threads at once, as integrands
    subroutine nis_particles_call(x, event)
      import :: c_double, nis_event
      real(c_double), intent(in) :: x(:)
      type(nis_event), intent(inout) :: event
    end subroutine nis_particles_call
  end interface

  ! ---- options -----------------------------------------------------------------------------------

  ! nis_options(calls=2000000, bins=16), or member by member, or nis_set. 0 and what is not
  ! allocated mean default.
  type :: nis_options
    integer(c_int64_t) :: calls = 0
    real(c_double) :: rel_error = 0
    real(c_double) :: abs_error = 0
    real(c_double) :: call_seconds = 0
    real(c_double) :: max_seconds = 0
    integer(c_int64_t) :: seed = 0
    integer :: threads = 0
    real(c_double), allocatable :: lower(:) ! (dim)
    real(c_double), allocatable :: upper(:) ! (dim)
    logical, allocatable :: periodic(:)     ! (dim)
    integer(c_int64_t) :: batch_points = 0  ! default 64 for those that take one point at a time
    integer :: ncomp = 0                    ! of objects with several values
    logical :: covariance = .false.
    integer :: follow = nis_follow_norm
    real(c_double), allocatable :: scales(:) ! (ncomp)
    logical :: serial = .false.
    procedure(nis_progress_call), pointer, nopass :: progress => null()
    real(c_double) :: train_share = 0
    real(c_double) :: effort = 0
    real(c_double), allocatable :: hints(:, :) ! (dim, nhints)
    integer :: layers = 0
    integer :: hidden_layers = 0
    integer :: hidden_width = 0
    integer :: bins = 0
    integer :: minibatch = 0
    real(c_double) :: replay = 0
    integer(c_int64_t) :: replay_bytes = 0
    real(c_double) :: learning_rate = 0
    real(c_double) :: decay = 0
    integer :: coupling = nis_rational_quadratic
    integer :: loss = nis_loss_default
    integer :: signs = nis_signs_apart
    integer :: points = nis_points_default
    integer :: goal_of = nis_goal_all
    character(:), allocatable :: name
    character(:), allocatable :: checkpoint
    real(c_double) :: checkpoint_seconds = 0
    procedure(nis_points_call), pointer, nopass :: sink => null()
    integer :: extra = 0
    integer, allocatable :: discrete(:)     ! (dim); values are 0 .. n-1, as in C
    integer :: channels = 0
    logical :: channel_weights = .false.
    integer :: features = 0
  end type nis_options

  type, bind(c) :: nis_channel_result
    real(c_double) :: value, error
    integer(c_int64_t) :: calls, zero_calls
    real(c_double) :: efficiency, max_weight
  end type nis_channel_result

  type :: nis_event_options
    integer(c_int64_t) :: events = 0
    integer(c_int64_t) :: calls = 0
    integer :: w_max = nis_w_max_tail
    real(c_double) :: tail = 0
    real(c_double) :: quantile = 0
    logical :: whole_run = .false.
    logical :: unit_weights = .false.
    procedure(nis_events_call), pointer, nopass :: sink => null()
    character(:), allocatable :: path
    integer :: format = nis_format_by_name
    procedure(nis_particles_call), pointer, nopass :: particles => null()
    character(:), allocatable :: header
    logical :: force = .false.
    integer(c_int64_t) :: skip = 0
  end type nis_event_options

  ! What is in a file
  type :: nis_saved
    character(:), allocatable :: name
    integer :: dim = 0
    integer(c_int64_t) :: stored = 0
    type(nis_options) :: options
    type(nis_result) :: result
  end type nis_saved

  ! ---- C's structs -------------------------------------------------------------------------------

  type, bind(c) :: plain_options
    integer(c_size_t) :: dim = 0
    type(c_ptr) :: params = c_null_ptr
    integer(c_int64_t) :: calls = 0
    real(c_double) :: rel_error = 0, abs_error = 0, call_seconds = 0, max_seconds = 0
    integer(c_int64_t) :: seed = 0
    integer(c_int) :: threads = 0
    type(c_ptr) :: lower = c_null_ptr, upper = c_null_ptr, periodic = c_null_ptr
    type(c_funptr) :: batch = c_null_funptr
    integer(c_size_t) :: batch_points = 0, ncomp = 0
    integer(c_int) :: covariance = 0, follow = 0
    type(c_ptr) :: scales = c_null_ptr
    integer(c_int) :: serial = 0
    type(c_funptr) :: progress = c_null_funptr
    type(c_ptr) :: progress_params = c_null_ptr
    real(c_double) :: train_share = 0, effort = 0
    type(c_ptr) :: hints = c_null_ptr
    integer(c_size_t) :: nhints = 0
    integer(c_int) :: layers = 0, hidden_layers = 0, hidden_width = 0, bins = 0, minibatch = 0
    real(c_double) :: replay = 0
    integer(c_size_t) :: replay_bytes = 0
    real(c_double) :: learning_rate = 0, decay = 0
    integer(c_int) :: coupling = 0, loss = 0, signs = 0, points = 0, goal_of = 0
    type(c_ptr) :: name = c_null_ptr, checkpoint = c_null_ptr
    real(c_double) :: checkpoint_seconds = 0
    type(c_funptr) :: sink = c_null_funptr
    type(c_ptr) :: sink_params = c_null_ptr
    integer(c_size_t) :: extra = 0
    type(c_ptr) :: discrete = c_null_ptr
    integer(c_size_t) :: channels = 0
    integer(c_int) :: channel_weights = 0
    integer(c_size_t) :: features = 0
  end type plain_options

  type, bind(c) :: plain_event_options
    integer(c_int64_t) :: events = 0, calls = 0
    integer(c_int) :: w_max = 0
    real(c_double) :: tail = 0, quantile = 0
    integer(c_int) :: whole_run = 0, unit_weights = 0
    type(c_funptr) :: sink = c_null_funptr
    type(c_ptr) :: sink_params = c_null_ptr
    type(c_ptr) :: path = c_null_ptr
    integer(c_int) :: format = 0
    type(c_funptr) :: particles = c_null_funptr
    type(c_ptr) :: particles_params = c_null_ptr
    type(c_ptr) :: header = c_null_ptr
    integer(c_int) :: force = 0
    integer(c_int64_t) :: skip = 0
  end type plain_event_options

  type, bind(c) :: plain_point_block
    integer(c_size_t) :: n, dim, ncomp, extra
    type(c_ptr) :: x, weight, components, log_q, outputs
    integer(c_int64_t) :: before
    integer(c_int) :: iteration, nets
  end type plain_point_block

  type, bind(c) :: plain_event_block
    integer(c_size_t) :: n, dim
    type(c_ptr) :: x, weight, log_q, trials
    integer(c_size_t) :: extra
    type(c_ptr) :: outputs
    real(c_double) :: unit
  end type plain_event_block

  type, bind(c) :: plain_pulled_event
    type(c_ptr) :: x = c_null_ptr
    integer(c_size_t) :: dim = 0
    real(c_double) :: weight = 0, log_q = 0
    integer(c_int64_t) :: trials = 0, calls = 0
    real(c_double) :: unit = 0, w_max = 0
    type(c_ptr) :: outputs = c_null_ptr
  end type plain_pulled_event

  type, bind(c) :: plain_saved
    character(kind=c_char) :: name(256) = c_null_char
    integer(c_int64_t) :: stored = 0
    type(plain_options) :: options
    type(nis_result) :: result
  end type plain_saved

  ! C's options, and the copies of arrays that they point to during a call
  type :: passed_options
    type(plain_options) :: c
    real(c_double), allocatable :: lower(:), upper(:), scales(:), hints(:, :)
    integer(c_int), allocatable :: periodic(:), discrete(:)
    character(kind=c_char), allocatable :: name(:), checkpoint(:)
  end type passed_options

  type :: passed_event_options
    type(plain_event_options) :: c
    character(kind=c_char), allocatable :: path(:), header(:)
  end type passed_event_options

  ! ---- the sampler -------------------------------------------------------------------------------

  ! What lives as long as the handle, at an address that does not change. Of the ways to call an
  ! integrand one is there.
  type :: state
    type(c_ptr) :: handle = c_null_ptr
    integer :: owners = 1
    integer :: dim = 0, ncomp = 1, extra = 0
    procedure(nis_scalar_call), pointer, nopass :: scalar => null()
    procedure(nis_vector_call), pointer, nopass :: vector => null()
    procedure(nis_batch_call), pointer, nopass :: batch => null()
    class(nis_any_integrand), allocatable :: object ! to which one of these three points
    class(nis_integrand), pointer :: scalar_object => null()
    class(nis_vector_integrand), pointer :: vector_object => null()
    class(nis_batch_integrand), pointer :: batch_object => null()
    procedure(nis_progress_call), pointer, nopass :: progress => null()
    procedure(nis_points_call), pointer, nopass :: sink => null()
  end type state

  ! What one call for events calls
  type :: event_calls
    procedure(nis_events_call), pointer, nopass :: sink => null()
    class(nis_event_sink), pointer :: object => null()
    procedure(nis_particles_call), pointer, nopass :: particles => null()
  end type event_calls

  ! A flow, its integrand, and the running estimate: nis.h's handle. It goes with its last owner:
  ! after a = b both are the same sampler. (The main program's own stay to its end unless freed.)
  type :: nis_sampler
    private
    type(state), pointer :: state => null()
  contains
    procedure, private :: create_scalar, create_vector, create_object
    procedure, private :: resume_scalar, resume_vector, resume_object
    procedure, private :: load_scalar, load_vector, load_object
    procedure, private :: events_to_options, events_to_object, share
    generic :: create => create_scalar, create_vector, create_object
    generic :: resume => resume_scalar, resume_vector, resume_object
    generic :: load => load_scalar, load_vector, load_object
    procedure :: create_batch, resume_batch, load_batch
    procedure :: run, train, estimate, estimate_part, current, drop_estimate
    procedure :: merge => merge_with
    procedure :: values, covariance, ratio, combine, channel
    procedure :: sample, density
    generic :: events => events_to_options, events_to_object
    procedure :: next_event
    procedure :: save => save_to
    procedure :: dim => dim_of
    procedure :: ncomp => ncomp_of
    procedure :: handle
    procedure :: free
    generic :: assignment(=) => share
    final :: finish
  end type nis_sampler

  ! What nis_integrate hands out besides its result
  type :: components
    real(c_double), allocatable :: values(:), errors(:), covariance(:, :)
  end type components

  integer, parameter :: by_create = 0, by_resume = 1, by_load = 2

  interface nis_integrate
    module procedure integrate_scalar, integrate_vector, integrate_object
  end interface nis_integrate

  ! By name, of which `value` is text as in nis_options_set, or a number, or a logical
  interface nis_set
    module procedure set_option, set_event_option
  end interface nis_set

  ! ---- C's functions -----------------------------------------------------------------------------

  interface
    function c_strlen(s) bind(c, name='strlen') result(n)
      import
      type(c_ptr), value :: s
      integer(c_size_t) :: n
    end function c_strlen

    function c_strerror(status) bind(c, name='nis_strerror') result(s)
      import
      integer(c_int), value :: status
      type(c_ptr) :: s
    end function c_strerror

    function c_last_error() bind(c, name='nis_last_error') result(s)
      import
      type(c_ptr) :: s
    end function c_last_error

    function c_version() bind(c, name='nis_version') result(s)
      import
      type(c_ptr) :: s
    end function c_version

    ! Ends the run that the integrand is called for: NIS_CALLBACK
    subroutine nis_refuse() bind(c, name='nis_refuse')
    end subroutine nis_refuse

    ! Of the thread that calls the integrand, 0 .. threads-1
    function nis_thread() bind(c, name='nis_thread') result(number)
      import
      integer(c_int) :: number
    end function nis_thread

    function c_extra() bind(c, name='nis_extra') result(outputs)
      import
      type(c_ptr) :: outputs
    end function c_extra

    function c_options_set(options, name, value, size) bind(c, name='nis_options_set_sized') &
      result(code)
      import
      type(plain_options), intent(inout) :: options
      character(kind=c_char), intent(in) :: name(*), value(*)
      integer(c_size_t), value :: size
      integer(c_int) :: code
    end function c_options_set

    function c_complete(given, complete, size) bind(c, name='nis_complete_options_sized') &
      result(code)
      import
      type(plain_options), intent(in) :: given
      type(plain_options), intent(out) :: complete
      integer(c_size_t), value :: size
      integer(c_int) :: code
    end function c_complete

    function c_create(s, f, options, size) bind(c, name='nis_create_sized') result(code)
      import
      type(c_ptr), intent(out) :: s
      type(c_funptr), value :: f
      type(plain_options), intent(in) :: options
      integer(c_size_t), value :: size
      integer(c_int) :: code
    end function c_create

    function c_resume(s, f, options, size) bind(c, name='nis_resume_sized') result(code)
      import
      type(c_ptr), intent(out) :: s
      type(c_funptr), value :: f
      type(plain_options), intent(in) :: options
      integer(c_size_t), value :: size
      integer(c_int) :: code
    end function c_resume

    function c_load(s, path, f, options, size) bind(c, name='nis_load_sized') result(code)
      import
      type(c_ptr), intent(out) :: s
      character(kind=c_char), intent(in) :: path(*)
      type(c_funptr), value :: f
      type(plain_options), intent(in) :: options
      integer(c_size_t), value :: size
      integer(c_int) :: code
    end function c_load

    subroutine c_free(s) bind(c, name='nis_free')
      import
      type(c_ptr), value :: s
    end subroutine c_free

    function c_run(s, result, size) bind(c, name='nis_run_sized') result(code)
      import
      type(c_ptr), value :: s
      type(nis_result), intent(out) :: result
      integer(c_size_t), value :: size
      integer(c_int) :: code
    end function c_run

    function c_train(s, calls) bind(c, name='nis_train') result(code)
      import
      type(c_ptr), value :: s
      integer(c_int64_t), value :: calls
      integer(c_int) :: code
    end function c_train

    function c_estimate(s, calls, result, size) bind(c, name='nis_estimate_sized') result(code)
      import
      type(c_ptr), value :: s
      integer(c_int64_t), value :: calls
      type(nis_result), intent(out) :: result
      integer(c_size_t), value :: size
      integer(c_int) :: code
    end function c_estimate

    function c_estimate_part(s, calls, part, parts, result, size) &
      bind(c, name='nis_estimate_part_sized') result(code)
      import
      type(c_ptr), value :: s
      integer(c_int64_t), value :: calls
      integer(c_int), value :: part, parts
      type(nis_result), intent(out) :: result
      integer(c_size_t), value :: size
      integer(c_int) :: code
    end function c_estimate_part

    function c_current(s, result, size) bind(c, name='nis_current_sized') result(code)
      import
      type(c_ptr), value :: s
      type(nis_result), intent(out) :: result
      integer(c_size_t), value :: size
      integer(c_int) :: code
    end function c_current

    function c_drop_estimate(s) bind(c, name='nis_drop_estimate') result(code)
      import
      type(c_ptr), value :: s
      integer(c_int) :: code
    end function c_drop_estimate

    function c_merge(s, other) bind(c, name='nis_merge') result(code)
      import
      type(c_ptr), value :: s, other
      integer(c_int) :: code
    end function c_merge

    function c_values(s, values, errors) bind(c, name='nis_values') result(code)
      import
      type(c_ptr), value :: s
      real(c_double), intent(out) :: values(*), errors(*)
      integer(c_int) :: code
    end function c_values

    function c_covariance(s, covariance) bind(c, name='nis_covariance') result(code)
      import
      type(c_ptr), value :: s
      real(c_double), intent(out) :: covariance(*)
      integer(c_int) :: code
    end function c_covariance

    function c_ratio(s, i, j, value, error) bind(c, name='nis_ratio') result(code)
      import
      type(c_ptr), value :: s
      integer(c_size_t), value :: i, j
      real(c_double), intent(out) :: value, error
      integer(c_int) :: code
    end function c_ratio

    function c_channel(s, channel, r, size) bind(c, name='nis_channel_sized') result(code)
      import
      type(c_ptr), value :: s
      integer(c_size_t), value :: channel, size
      type(nis_channel_result), intent(out) :: r
      integer(c_int) :: code
    end function c_channel

    function c_combine(s, coefficients, value, error) bind(c, name='nis_combine') result(code)
      import
      type(c_ptr), value :: s
      real(c_double), intent(in) :: coefficients(*)
      real(c_double), intent(out) :: value, error
      integer(c_int) :: code
    end function c_combine

    function c_sample(s, n, x, log_q, weight) bind(c, name='nis_sample') result(code)
      import
      type(c_ptr), value :: s
      integer(c_size_t), value :: n
      real(c_double), intent(out) :: x(*)
      type(c_ptr), value :: log_q, weight
      integer(c_int) :: code
    end function c_sample

    function c_density(s, n, x, log_q) bind(c, name='nis_density') result(code)
      import
      type(c_ptr), value :: s
      integer(c_size_t), value :: n
      real(c_double), intent(in) :: x(*)
      real(c_double), intent(out) :: log_q(*)
      integer(c_int) :: code
    end function c_density

    function c_save(s, path) bind(c, name='nis_save') result(code)
      import
      type(c_ptr), value :: s
      character(kind=c_char), intent(in) :: path(*)
      integer(c_int) :: code
    end function c_save

    function c_inspect(path, saved, options_size, result_size) bind(c, name='nis_inspect_sized') &
      result(code)
      import
      character(kind=c_char), intent(in) :: path(*)
      type(plain_saved), intent(out) :: saved
      integer(c_size_t), value :: options_size, result_size
      integer(c_int) :: code
    end function c_inspect

    function c_event_options_set(options, name, value, size) &
      bind(c, name='nis_event_options_set_sized') result(code)
      import
      type(plain_event_options), intent(inout) :: options
      character(kind=c_char), intent(in) :: name(*), value(*)
      integer(c_size_t), value :: size
      integer(c_int) :: code
    end function c_event_options_set

    function c_events(s, options, summary, options_size, summary_size) &
      bind(c, name='nis_events_sized') result(code)
      import
      type(c_ptr), value :: s
      type(plain_event_options), intent(in) :: options
      type(nis_event_summary), intent(out) :: summary
      integer(c_size_t), value :: options_size, summary_size
      integer(c_int) :: code
    end function c_events

    function c_next_event(s, options, event, options_size, event_size) &
      bind(c, name='nis_next_event_sized') result(code)
      import
      type(c_ptr), value :: s
      type(plain_event_options), intent(in) :: options
      type(plain_pulled_event), intent(out) :: event
      integer(c_size_t), value :: options_size, event_size
      integer(c_int) :: code
    end function c_next_event

    function c_check_events(options, size) bind(c, name='nis_check_events_sized') result(code)
      import
      type(plain_event_options), intent(in) :: options
      integer(c_size_t), value :: size
      integer(c_int) :: code
    end function c_check_events

    function c_check_format(format) bind(c, name='nis_check_format') result(code)
      import
      integer(c_int), value :: format
      integer(c_int) :: code
    end function c_check_format

    function c_merge_events(paths, n, path, force) bind(c, name='nis_merge_events') result(code)
      import
      type(c_ptr), intent(in) :: paths(*)
      integer(c_size_t), value :: n
      character(kind=c_char), intent(in) :: path(*)
      integer(c_int), value :: force
      integer(c_int) :: code
    end function c_merge_events
  end interface

contains

  ! ---- what can happen ---------------------------------------------------------------------------

  ! The meaning of a status
  function nis_strerror(status) result(words)
    integer, intent(in) :: status
    character(:), allocatable :: words
    call copy_text(c_strerror(int(status, c_int)), words)
  end function nis_strerror

  ! The sentence of this thread's latest failure or warning, or ''
  function nis_last_error() result(sentence)
    character(:), allocatable :: sentence
    call copy_text(c_last_error(), sentence)
  end function nis_last_error

  function nis_version() result(version)
    character(:), allocatable :: version
    call copy_text(c_version(), version)
  end function nis_version

  ! What to say about the library's call that has just ended with `code`. No function, as its
  ! callers may be on several threads: gfortran keeps lengths of strings that come out of functions
  ! in static variables.
  subroutine explain(code, sentence)
    integer, intent(in) :: code
    character(:), allocatable, intent(out) :: sentence
    call copy_text(c_last_error(), sentence)
    if (len(sentence) == 0 .and. code /= nis_ok) call copy_text(c_strerror(code), sentence)
  end subroutine explain

  ! The end of every public procedure: hands on the status, or stops where nobody asks. (The
  ! sentence is handed on by those procedures: gfortran 12 loses the length of an optional argument
  ! that is passed on.)
  subroutine tell(code, sentence, status, heard)
    integer, intent(in) :: code
    character(*), intent(in) :: sentence
    integer, intent(out), optional :: status
    logical, intent(in) :: heard
    if (present(status)) status = code
    if (code >= 0 .or. present(status) .or. heard) return
    write (error_unit, '(2a)') 'nis: ', sentence ! Fortran 2008 has no `error stop sentence`
    error stop 1
  end subroutine tell

  ! An array of the caller's has the wrong size; the first one that is wrong is named
  subroutine check_size(n, right, name, sentence)
    integer, intent(in) :: n, right
    character(*), intent(in) :: name
    character(:), allocatable, intent(inout) :: sentence
    if (n == right .or. allocated(sentence)) return
    sentence = name//' must have '//trim(decimal(int(right, int64)))//' elements, got '// &
          trim(decimal(int(n, int64)))
  end subroutine check_size

  ! ---- text and numbers --------------------------------------------------------------------------

  subroutine copy_text(s, words)
    type(c_ptr), intent(in) :: s
    character(:), allocatable, intent(out) :: words
    character(kind=c_char), pointer :: c(:)
    integer :: i
    call c_f_pointer(s, c, [c_strlen(s)])
    allocate (character(size(c)) :: words)
    do i = 1, size(c)
      words(i:i) = c(i)
    end do
  end subroutine copy_text

  ! With the null at the end, without trailing blanks
  function c_text(words) result(c)
    character(*), intent(in) :: words
    character(kind=c_char) :: c(len_trim(words) + 1)
    integer :: i
    do i = 1, len_trim(words)
      c(i) = words(i:i)
    end do
    c(len_trim(words) + 1) = c_null_char
  end function c_text

  function decimal(n) result(words)
    integer(int64), intent(in) :: n
    character(20) :: words
    write (words, '(i0)') n
  end function decimal

  ! A number of calls or a seed, which may be written 1e6
  subroutine whole(given, name, n, sentence)
    class(*), intent(in) :: given
    character(*), intent(in) :: name
    integer(int64), intent(out) :: n
    character(:), allocatable, intent(inout) :: sentence
    n = 0
    select type (given)
    type is (integer(int32))
      n = given
    type is (integer(int64))
      n = given
    type is (real(real32))
      call whole_of_real(real(given, real64), name, n, sentence)
    type is (real(real64))
      call whole_of_real(given, name, n, sentence)
    class default
      sentence = name//' must be an integer, or a real without a fraction'
    end select
    if (n < 0 .and. name /= 'seed') sentence = name//' must be at least 0, got '//trim(decimal(n))
  end subroutine whole

  subroutine whole_of_real(given, name, n, sentence)
    real(real64), intent(in) :: given
    character(*), intent(in) :: name
    integer(int64), intent(out) :: n
    character(:), allocatable, intent(inout) :: sentence
    character(32) :: buffer
    n = 0
    if (abs(given) < 2._real64**63) then ! false for NaN
      n = int(given, int64)
      if (.not. abs(given - real(n, real64)) > 0) return
    end if
    n = 0
    write (buffer, '(g0)') given
    sentence = name//' must be a whole number of 63 bits, got '//trim(buffer)
  end subroutine whole_of_real

  pure function flag(given) result(c)
    logical, intent(in) :: given
    integer(c_int) :: c
    c = merge(1_c_int, 0_c_int, given)
  end function flag

  ! A value of nis_set as text
  subroutine to_text(value, words)
    class(*), intent(in) :: value
    character(:), allocatable, intent(out) :: words
    character(32) :: buffer
    select type (value)
    type is (character(*))
      words = trim(value)
      return
    type is (integer(int32))
      write (buffer, '(i0)') value
    type is (integer(int64))
      write (buffer, '(i0)') value
    type is (real(real32))
      write (buffer, '(es18.9e3)') value
    type is (real(real64))
      write (buffer, '(es27.17e4)') value
    type is (logical)
      buffer = merge('1', '0', value)
    class default
      buffer = '(of another type)'
    end select
    words = trim(adjustl(buffer))
  end subroutine to_text

  ! ---- options for C -----------------------------------------------------------------------------

  subroutine pass_options(o, dim, ncomp, p, sentence)
    type(nis_options), intent(in) :: o
    integer, intent(in) :: dim, ncomp
    type(passed_options), intent(out), target :: p
    character(:), allocatable, intent(inout) :: sentence
    call pass_numbers(o, p%c)
    call pass_array(o%lower, dim, 'lower', p%lower, p%c%lower, sentence)
    call pass_array(o%upper, dim, 'upper', p%upper, p%c%upper, sentence)
    call pass_array(o%scales, ncomp, 'scales', p%scales, p%c%scales, sentence)
    if (allocated(o%periodic)) then
      call check_size(size(o%periodic), dim, 'periodic', sentence)
      p%periodic = flag_array(o%periodic)
      p%c%periodic = c_loc(p%periodic)
    end if
    if (allocated(o%discrete)) then
      call check_size(size(o%discrete), dim, 'discrete', sentence)
      p%discrete = o%discrete
      p%c%discrete = c_loc(p%discrete)
    end if
    if (allocated(o%hints)) then
      call check_size(size(o%hints, 1), dim, 'a point of hints', sentence)
      p%hints = o%hints
      p%c%nhints = size(o%hints, 2)
      if (size(o%hints) > 0) p%c%hints = c_loc(p%hints)
    end if
    call pass_text(o%name, p%name, p%c%name)
    call pass_text(o%checkpoint, p%checkpoint, p%c%checkpoint)
  end subroutine pass_options

  pure function flag_array(given) result(c)
    logical, intent(in) :: given(:)
    integer(c_int) :: c(size(given))
    c = merge(1_c_int, 0_c_int, given)
  end function flag_array

  subroutine pass_array(given, n, name, kept, c, sentence)
    real(c_double), allocatable, intent(in) :: given(:)
    integer, intent(in) :: n
    character(*), intent(in) :: name
    real(c_double), allocatable, intent(out), target :: kept(:)
    type(c_ptr), intent(inout) :: c
    character(:), allocatable, intent(inout) :: sentence
    if (.not. allocated(given)) return
    call check_size(size(given), n, name, sentence)
    kept = given
    if (size(kept) > 0) c = c_loc(kept)
  end subroutine pass_array

  subroutine pass_text(given, kept, c)
    character(:), allocatable, intent(in) :: given
    character(kind=c_char), allocatable, intent(out), target :: kept(:)
    type(c_ptr), intent(inout) :: c
    if (.not. allocated(given)) return
    if (len_trim(given) == 0) return
    kept = c_text(given)
    c = c_loc(kept)
  end subroutine pass_text

  subroutine pass_numbers(o, c)
    type(nis_options), intent(in) :: o
    type(plain_options), intent(inout) :: c
    c%calls = o%calls
    c%rel_error = o%rel_error
    c%abs_error = o%abs_error
    c%call_seconds = o%call_seconds
    c%max_seconds = o%max_seconds
    c%seed = o%seed
    c%threads = o%threads
    c%batch_points = o%batch_points
    c%ncomp = o%ncomp
    c%covariance = flag(o%covariance)
    c%follow = o%follow
    c%serial = flag(o%serial)
    c%train_share = o%train_share
    c%effort = o%effort
    c%layers = o%layers
    c%hidden_layers = o%hidden_layers
    c%hidden_width = o%hidden_width
    c%bins = o%bins
    c%minibatch = o%minibatch
    c%replay = o%replay
    c%replay_bytes = o%replay_bytes
    c%learning_rate = o%learning_rate
    c%decay = o%decay
    c%coupling = o%coupling
    c%loss = o%loss
    c%signs = o%signs
    c%points = o%points
    c%goal_of = o%goal_of
    c%checkpoint_seconds = o%checkpoint_seconds
    c%extra = o%extra
    c%channels = o%channels
    c%channel_weights = merge(1, 0, o%channel_weights)
    c%features = o%features
  end subroutine pass_numbers

  ! The way back
  subroutine take_numbers(c, o)
    type(plain_options), intent(in) :: c
    type(nis_options), intent(inout) :: o
    o%calls = c%calls
    o%rel_error = c%rel_error
    o%abs_error = c%abs_error
    o%call_seconds = c%call_seconds
    o%max_seconds = c%max_seconds
    o%seed = c%seed
    o%threads = c%threads
    o%batch_points = c%batch_points
    o%ncomp = int(c%ncomp)
    o%covariance = c%covariance /= 0
    o%follow = c%follow
    o%serial = c%serial /= 0
    o%train_share = c%train_share
    o%effort = c%effort
    o%layers = c%layers
    o%hidden_layers = c%hidden_layers
    o%hidden_width = c%hidden_width
    o%bins = c%bins
    o%minibatch = c%minibatch
    o%replay = c%replay
    o%replay_bytes = c%replay_bytes
    o%learning_rate = c%learning_rate
    o%decay = c%decay
    o%coupling = c%coupling
    o%loss = c%loss
    o%signs = c%signs
    o%points = c%points
    o%goal_of = c%goal_of
    o%checkpoint_seconds = c%checkpoint_seconds
    o%extra = int(c%extra)
    o%channels = int(c%channels)
    o%channel_weights = c%channel_weights /= 0
    o%features = int(c%features)
  end subroutine take_numbers

  subroutine set_option(options, name, value, status, message)
    type(nis_options), intent(inout) :: options
    character(*), intent(in) :: name
    class(*), intent(in) :: value
    integer, intent(out), optional :: status
    character(:), allocatable, intent(out), optional :: message
    type(plain_options) :: c
    character(:), allocatable :: words
    character(:), allocatable :: sentence
    integer :: code
    call pass_numbers(options, c)
    call to_text(value, words)
    code = c_options_set(c, c_text(name), c_text(words), c_sizeof(c))
    if (code == nis_ok) call take_numbers(c, options)
    call explain(code, sentence)
    call tell(code, sentence, status, present(message))
    if (present(message)) message = sentence
  end subroutine set_option

  ! The options with every default filled in, as a run in `dim` dimensions would use them
  subroutine nis_complete(options, dim, complete, status, message)
    type(nis_options), intent(in) :: options
    integer, intent(in) :: dim
    type(nis_options), intent(out) :: complete
    integer, intent(out), optional :: status
    character(:), allocatable, intent(out), optional :: message
    type(passed_options), target :: p
    type(plain_options) :: c
    character(:), allocatable :: sentence
    integer :: code
    call pass_options(options, dim, max(1, options%ncomp), p, sentence)
    complete = options
    code = nis_invalid
    if (.not. allocated(sentence)) then
      p%c%dim = dim
      code = c_complete(p%c, c, c_sizeof(c))
      if (code >= 0) call take_numbers(c, complete)
      call explain(code, sentence)
    end if
    call tell(code, sentence, status, present(message))
    if (present(message)) message = sentence
  end subroutine nis_complete

  subroutine pass_event_options(o, p)
    type(nis_event_options), intent(in) :: o
    type(passed_event_options), intent(out), target :: p
    call pass_event_numbers(o, p%c)
    call pass_text(o%path, p%path, p%c%path)
    call pass_text(o%header, p%header, p%c%header)
    if (associated(o%particles)) p%c%particles = c_funloc(call_particles)
    if (associated(o%sink)) p%c%sink = c_funloc(call_event_sink)
  end subroutine pass_event_options

  subroutine pass_event_numbers(o, c)
    type(nis_event_options), intent(in) :: o
    type(plain_event_options), intent(inout) :: c
    c%events = o%events
    c%calls = o%calls
    c%w_max = o%w_max
    c%tail = o%tail
    c%quantile = o%quantile
    c%whole_run = flag(o%whole_run)
    c%unit_weights = flag(o%unit_weights)
    c%format = o%format
    c%force = flag(o%force)
    c%skip = o%skip
  end subroutine pass_event_numbers

  subroutine set_event_option(options, name, value, status, message)
    type(nis_event_options), intent(inout) :: options
    character(*), intent(in) :: name
    class(*), intent(in) :: value
    integer, intent(out), optional :: status
    character(:), allocatable, intent(out), optional :: message
    type(plain_event_options) :: c
    character(:), allocatable :: words
    character(:), allocatable :: sentence
    integer :: code
    call pass_event_numbers(options, c)
    call to_text(value, words)
    code = c_event_options_set(c, c_text(name), c_text(words), c_sizeof(c))
    options%events = c%events
    options%calls = c%calls
    options%w_max = c%w_max
    options%tail = c%tail
    options%quantile = c%quantile
    options%whole_run = c%whole_run /= 0
    options%unit_weights = c%unit_weights /= 0
    options%format = c%format
    options%force = c%force /= 0
    options%skip = c%skip
    call explain(code, sentence)
    call tell(code, sentence, status, present(message))
    if (present(message)) message = sentence
  end subroutine set_event_option

  ! ---- trampolines: C calls these with a state, on any thread ------------------------------------

  recursive function call_scalar(x, dim, params) bind(c, name='') result(value)
    integer(c_size_t), value :: dim
    real(c_double), intent(in) :: x(dim)
    type(c_ptr), value :: params
    real(c_double) :: value
    type(state), pointer :: s
    call c_f_pointer(params, s)
    value = s%scalar(x)
  end function call_scalar

  recursive function call_scalar_object(x, dim, params) bind(c, name='') result(value)
    integer(c_size_t), value :: dim
    real(c_double), intent(in) :: x(dim)
    type(c_ptr), value :: params
    real(c_double) :: value
    type(state), pointer :: s
    call c_f_pointer(params, s)
    value = s%scalar_object%evaluate(x)
  end function call_scalar_object

  recursive function call_vector(n, dim, x, ncomp, values, params) bind(c, name='') result(code)
    integer(c_size_t), value :: n, dim, ncomp
    real(c_double), intent(in) :: x(dim, n)
    real(c_double), intent(inout) :: values(ncomp, n)
    type(c_ptr), value :: params
    integer(c_int) :: code
    type(state), pointer :: s
    integer(c_size_t) :: i
    call c_f_pointer(params, s)
    if (associated(s%vector)) then
      do i = 1, n
        call s%vector(x(:, i), values(:, i))
      end do
    else
      do i = 1, n
        call s%vector_object%evaluate(x(:, i), values(:, i))
      end do
    end if
    code = 0
  end function call_vector

  recursive function call_batch(n, dim, x, ncomp, values, params) bind(c, name='') result(code)
    integer(c_size_t), value :: n, dim, ncomp
    real(c_double), intent(in) :: x(dim, n)
    real(c_double), intent(inout) :: values(ncomp, n)
    type(c_ptr), value :: params
    integer(c_int) :: code
    type(state), pointer :: s
    call c_f_pointer(params, s)
    if (associated(s%batch)) then
      call s%batch(x, values)
    else
      call s%batch_object%evaluate(x, values)
    end if
    code = 0
  end function call_batch

  recursive function call_progress(now, params) bind(c, name='') result(code)
    type(nis_progress), intent(in) :: now
    type(c_ptr), value :: params
    integer(c_int) :: code
    type(state), pointer :: s
    logical :: stop
    call c_f_pointer(params, s)
    stop = .false.
    call s%progress(now, stop)
    code = flag(stop)
  end function call_progress

  recursive function call_point_sink(block, params) bind(c, name='') result(code)
    type(plain_point_block), intent(in) :: block
    type(c_ptr), value :: params
    integer(c_int) :: code
    type(state), pointer :: s
    type(nis_point_block) :: points
    logical :: stop
    call c_f_pointer(params, s)
    call c_f_pointer(block%x, points%x, [block%dim, block%n])
    call c_f_pointer(block%weight, points%weight, [block%n])
    call c_f_pointer(block%components, points%components, [block%ncomp, block%n])
    call c_f_pointer(block%log_q, points%log_q, [block%n])
    if (block%extra > 0) call c_f_pointer(block%outputs, points%outputs, [block%extra, block%n])
    points%before = block%before
    points%iteration = block%iteration
    points%nets = block%nets /= 0
    stop = .false.
    call s%sink(points, stop)
    code = flag(stop)
  end function call_point_sink

  recursive function call_event_sink(block, params) bind(c, name='') result(code)
    type(plain_event_block), intent(in) :: block
    type(c_ptr), value :: params
    integer(c_int) :: code
    type(event_calls), pointer :: calls
    type(nis_event_block) :: events
    logical :: stop
    call c_f_pointer(params, calls)
    call c_f_pointer(block%x, events%x, [block%dim, block%n])
    call c_f_pointer(block%weight, events%weight, [block%n])
    call c_f_pointer(block%log_q, events%log_q, [block%n])
    call c_f_pointer(block%trials, events%trials, [block%n])
    if (block%extra > 0) call c_f_pointer(block%outputs, events%outputs, [block%extra, block%n])
    events%unit = block%unit
    stop = .false.
    if (associated(calls%object)) then
      call calls%object%take(events, stop)
    else
      call calls%sink(events, stop)
    end if
    code = flag(stop)
  end function call_event_sink

  recursive function call_particles(x, dim, event, params) bind(c, name='') result(code)
    integer(c_size_t), value :: dim
    real(c_double), intent(in) :: x(dim)
    type(nis_event), intent(inout) :: event
    type(c_ptr), value :: params
    integer(c_int) :: code
    type(event_calls), pointer :: calls
    call c_f_pointer(params, calls)
    call calls%particles(x, event)
    code = 0
  end function call_particles

  ! [n] where an integrand of one value writes its outputs besides (options%extra is n), and where
  ! a maker of particles finds those of its point; null elsewhere
  function nis_extra(n) result(outputs)
    integer, intent(in) :: n
    real(c_double), pointer :: outputs(:)
    type(c_ptr) :: c
    outputs => null()
    c = c_extra()
    if (c_associated(c)) call c_f_pointer(c, outputs, [n])
  end function nis_extra

  ! ---- making a sampler --------------------------------------------------------------------------

  subroutine attach_object(s, f)
    type(state), pointer, intent(in) :: s
    class(nis_any_integrand), intent(in) :: f
    allocate (s%object, source=f)
    select type (object => s%object)
    class is (nis_integrand)
      s%scalar_object => object
    class is (nis_vector_integrand)
      s%vector_object => object
    class is (nis_batch_integrand)
      s%batch_object => object
    end select
  end subroutine attach_object

  ! What is the state's in C's options, and the scalar integrand
  subroutine attach(s, o, c, f)
    type(state), pointer, intent(in) :: s
    type(nis_options), intent(in) :: o
    type(plain_options), intent(inout) :: c
    type(c_funptr), intent(out) :: f
    f = c_null_funptr
    c%params = c_loc(s)
    if (associated(s%scalar)) then
      f = c_funloc(call_scalar)
    else if (associated(s%scalar_object)) then
      f = c_funloc(call_scalar_object)
    else if (associated(s%vector) .or. associated(s%vector_object)) then
      c%batch = c_funloc(call_vector)
      if (c%batch_points == 0) c%batch_points = 64 ! few, so that all threads get some
    else if (associated(s%batch) .or. associated(s%batch_object)) then
      c%batch = c_funloc(call_batch)
    end if
    if (associated(o%progress)) then
      s%progress => o%progress
      c%progress = c_funloc(call_progress)
      c%progress_params = c_loc(s)
    end if
    if (associated(o%sink)) then
      s%sink => o%sink
      c%sink = c_funloc(call_point_sink)
      c%sink_params = c_loc(s)
    end if
  end subroutine attach

  ! Of a handle that a file will be: what is in there, unless the options say otherwise
  subroutine look_into(path, s, code, sentence)
    character(*), intent(in) :: path
    type(state), pointer, intent(in) :: s
    integer, intent(out) :: code
    character(:), allocatable, intent(inout) :: sentence
    type(plain_saved) :: saved
    code = c_inspect(c_text(path), saved, c_sizeof(saved%options), c_sizeof(saved%result))
    if (code < 0) call explain(code, sentence)
    if (code < 0) return
    s%dim = int(saved%options%dim)
    s%ncomp = int(saved%options%ncomp)
    s%extra = int(saved%options%extra)
  end subroutine look_into

  ! Takes over s, which is freed again where that fails. ncomp is 0 where the file or options say.
  subroutine make(self, s, how, dim, ncomp, options, path, code, sentence)
    class(nis_sampler), intent(inout) :: self
    type(state), pointer, intent(in) :: s
    integer, intent(in) :: how, dim, ncomp
    type(nis_options), intent(in), optional :: options
    character(*), intent(in) :: path
    integer, intent(out) :: code
    character(:), allocatable, intent(out) :: sentence
    type(nis_options) :: o
    call self%free()
    self%state => s
    if (present(options)) o = options
    code = nis_ok
    if (ncomp /= 0 .and. o%ncomp /= 0) call check_components(ncomp, o%ncomp, code, sentence)
    if (ncomp /= 0) o%ncomp = ncomp
    s%dim = dim
    s%ncomp = max(1, o%ncomp)
    if (code == nis_ok .and. how == by_load) call look_into(path, s, code, sentence)
    if (o%extra /= 0) s%extra = o%extra
    if (code == nis_ok) call make_handle(s, how, dim, o, path, code, sentence)
    if (code < 0) call self%free()
  end subroutine make

  subroutine check_components(ncomp, given, code, sentence)
    integer, intent(in) :: ncomp, given
    integer, intent(inout) :: code
    character(:), allocatable, intent(inout) :: sentence
    if (ncomp == given) return
    code = nis_invalid
    sentence = 'ncomp is '//trim(decimal(int(ncomp, int64)))//', but options%ncomp '// &
               trim(decimal(int(given, int64)))
  end subroutine check_components

  subroutine make_handle(s, how, dim, o, path, code, sentence)
    type(state), pointer, intent(in) :: s
    integer, intent(in) :: how, dim
    type(nis_options), intent(in) :: o
    character(*), intent(in) :: path
    integer, intent(out) :: code
    character(:), allocatable, intent(inout) :: sentence
    type(passed_options), target :: p
    type(c_funptr) :: f
    code = nis_invalid
    call pass_options(o, s%dim, s%ncomp, p, sentence)
    if (allocated(sentence)) return
    p%c%dim = dim
    call attach(s, o, p%c, f)
    select case (how)
    case (by_create)
      code = c_create(s%handle, f, p%c, c_sizeof(p%c))
    case (by_resume)
      code = c_resume(s%handle, f, p%c, c_sizeof(p%c))
    case (by_load)
      code = c_load(s%handle, c_text(path), f, p%c, c_sizeof(p%c))
    end select
    call explain(code, sentence)
  end subroutine make_handle

  function of_scalar(f) result(s)
    procedure(nis_scalar_call) :: f
    type(state), pointer :: s
    allocate (s)
    s%scalar => f
  end function of_scalar

  function of_vector(f) result(s)
    procedure(nis_vector_call) :: f
    type(state), pointer :: s
    allocate (s)
    s%vector => f
  end function of_vector

  function of_batch(f) result(s)
    procedure(nis_batch_call) :: f
    type(state), pointer :: s
    allocate (s)
    s%batch => f
  end function of_batch

  function of_object(f) result(s)
    class(nis_any_integrand), intent(in) :: f
    type(state), pointer :: s
    allocate (s)
    call attach_object(s, f)
  end function of_object

  ! nis_create
  subroutine create_scalar(self, f, dim, options, status, message)
    class(nis_sampler), intent(inout) :: self
    procedure(nis_scalar_call) :: f
    integer, intent(in) :: dim
    type(nis_options), intent(in), optional :: options
    integer, intent(out), optional :: status
    character(:), allocatable, intent(out), optional :: message
    character(:), allocatable :: sentence
    integer :: code
    call make(self, of_scalar(f), by_create, dim, 1, options, '', code, sentence)
    call tell(code, sentence, status, present(message))
    if (present(message)) message = sentence
  end subroutine create_scalar

  subroutine create_vector(self, f, dim, ncomp, options, status, message)
    class(nis_sampler), intent(inout) :: self
    procedure(nis_vector_call) :: f
    integer, intent(in) :: dim, ncomp
    type(nis_options), intent(in), optional :: options
    integer, intent(out), optional :: status
    character(:), allocatable, intent(out), optional :: message
    character(:), allocatable :: sentence
    integer :: code
    call make(self, of_vector(f), by_create, dim, ncomp, options, '', code, sentence)
    call tell(code, sentence, status, present(message))
    if (present(message)) message = sentence
  end subroutine create_vector

  subroutine create_batch(self, f, dim, ncomp, options, status, message)
    class(nis_sampler), intent(inout) :: self
    procedure(nis_batch_call) :: f
    integer, intent(in) :: dim, ncomp
    type(nis_options), intent(in), optional :: options
    integer, intent(out), optional :: status
    character(:), allocatable, intent(out), optional :: message
    character(:), allocatable :: sentence
    integer :: code
    call make(self, of_batch(f), by_create, dim, ncomp, options, '', code, sentence)
    call tell(code, sentence, status, present(message))
    if (present(message)) message = sentence
  end subroutine create_batch

  subroutine create_object(self, f, dim, options, status, message)
    class(nis_sampler), intent(inout) :: self
    class(nis_any_integrand), intent(in) :: f
    integer, intent(in) :: dim
    type(nis_options), intent(in), optional :: options
    integer, intent(out), optional :: status
    character(:), allocatable, intent(out), optional :: message
    character(:), allocatable :: sentence
    integer :: code
    call make(self, of_object(f), by_create, dim, 0, options, '', code, sentence)
    call tell(code, sentence, status, present(message))
    if (present(message)) message = sentence
  end subroutine create_object

  ! nis_resume: goes on from options%checkpoint
  subroutine resume_scalar(self, f, dim, options, status, message)
    class(nis_sampler), intent(inout) :: self
    procedure(nis_scalar_call) :: f
    integer, intent(in) :: dim
    type(nis_options), intent(in), optional :: options
    integer, intent(out), optional :: status
    character(:), allocatable, intent(out), optional :: message
    character(:), allocatable :: sentence
    integer :: code
    call make(self, of_scalar(f), by_resume, dim, 1, options, '', code, sentence)
    call tell(code, sentence, status, present(message))
    if (present(message)) message = sentence
  end subroutine resume_scalar

  subroutine resume_vector(self, f, dim, ncomp, options, status, message)
    class(nis_sampler), intent(inout) :: self
    procedure(nis_vector_call) :: f
    integer, intent(in) :: dim, ncomp
    type(nis_options), intent(in), optional :: options
    integer, intent(out), optional :: status
    character(:), allocatable, intent(out), optional :: message
    character(:), allocatable :: sentence
    integer :: code
    call make(self, of_vector(f), by_resume, dim, ncomp, options, '', code, sentence)
    call tell(code, sentence, status, present(message))
    if (present(message)) message = sentence
  end subroutine resume_vector

  subroutine resume_batch(self, f, dim, ncomp, options, status, message)
    class(nis_sampler), intent(inout) :: self
    procedure(nis_batch_call) :: f
    integer, intent(in) :: dim, ncomp
    type(nis_options), intent(in), optional :: options
    integer, intent(out), optional :: status
    character(:), allocatable, intent(out), optional :: message
    character(:), allocatable :: sentence
    integer :: code
    call make(self, of_batch(f), by_resume, dim, ncomp, options, '', code, sentence)
    call tell(code, sentence, status, present(message))
    if (present(message)) message = sentence
  end subroutine resume_batch

  subroutine resume_object(self, f, dim, options, status, message)
    class(nis_sampler), intent(inout) :: self
    class(nis_any_integrand), intent(in) :: f
    integer, intent(in) :: dim
    type(nis_options), intent(in), optional :: options
    integer, intent(out), optional :: status
    character(:), allocatable, intent(out), optional :: message
    character(:), allocatable :: sentence
    integer :: code
    call make(self, of_object(f), by_resume, dim, 0, options, '', code, sentence)
    call tell(code, sentence, status, present(message))
    if (present(message)) message = sentence
  end subroutine resume_object

  ! nis_load: goes on as the saved one would have
  subroutine load_scalar(self, path, f, options, status, message)
    class(nis_sampler), intent(inout) :: self
    character(*), intent(in) :: path
    procedure(nis_scalar_call) :: f
    type(nis_options), intent(in), optional :: options
    integer, intent(out), optional :: status
    character(:), allocatable, intent(out), optional :: message
    character(:), allocatable :: sentence
    integer :: code
    call make(self, of_scalar(f), by_load, 0, 1, options, path, code, sentence)
    call tell(code, sentence, status, present(message))
    if (present(message)) message = sentence
  end subroutine load_scalar

  subroutine load_vector(self, path, f, ncomp, options, status, message)
    class(nis_sampler), intent(inout) :: self
    character(*), intent(in) :: path
    procedure(nis_vector_call) :: f
    integer, intent(in) :: ncomp
    type(nis_options), intent(in), optional :: options
    integer, intent(out), optional :: status
    character(:), allocatable, intent(out), optional :: message
    character(:), allocatable :: sentence
    integer :: code
    call make(self, of_vector(f), by_load, 0, ncomp, options, path, code, sentence)
    call tell(code, sentence, status, present(message))
    if (present(message)) message = sentence
  end subroutine load_vector

  subroutine load_batch(self, path, f, ncomp, options, status, message)
    class(nis_sampler), intent(inout) :: self
    character(*), intent(in) :: path
    procedure(nis_batch_call) :: f
    integer, intent(in) :: ncomp
    type(nis_options), intent(in), optional :: options
    integer, intent(out), optional :: status
    character(:), allocatable, intent(out), optional :: message
    character(:), allocatable :: sentence
    integer :: code
    call make(self, of_batch(f), by_load, 0, ncomp, options, path, code, sentence)
    call tell(code, sentence, status, present(message))
    if (present(message)) message = sentence
  end subroutine load_batch

  subroutine load_object(self, path, f, options, status, message)
    class(nis_sampler), intent(inout) :: self
    character(*), intent(in) :: path
    class(nis_any_integrand), intent(in) :: f
    type(nis_options), intent(in), optional :: options
    integer, intent(out), optional :: status
    character(:), allocatable, intent(out), optional :: message
    character(:), allocatable :: sentence
    integer :: code
    call make(self, of_object(f), by_load, 0, 0, options, path, code, sentence)
    call tell(code, sentence, status, present(message))
    if (present(message)) message = sentence
  end subroutine load_object

  ! Lets go of the handle, which goes with its last owner; a sampler without one is fine
  subroutine free(self)
    class(nis_sampler), intent(inout) :: self
    if (.not. associated(self%state)) return
    self%state%owners = self%state%owners - 1
    if (self%state%owners == 0) then
      call c_free(self%state%handle)
      deallocate (self%state)
    end if
    self%state => null()
  end subroutine free

  impure elemental subroutine finish(self)
    type(nis_sampler), intent(inout) :: self
    call self%free()
  end subroutine finish

  subroutine share(self, other)
    class(nis_sampler), intent(inout) :: self
    class(nis_sampler), intent(in) :: other
    if (associated(self%state, other%state)) return
    call self%free()
    self%state => other%state
    if (associated(self%state)) self%state%owners = self%state%owners + 1
  end subroutine share

  ! ---- what it does ------------------------------------------------------------------------------

  ! For all that C can do besides; null where there is none. Still owned by this.
  function handle(self) result(s)
    class(nis_sampler), intent(in) :: self
    type(c_ptr) :: s
    s = c_null_ptr
    if (associated(self%state)) s = self%state%handle
  end function handle

  pure function dim_of(self) result(dim)
    class(nis_sampler), intent(in) :: self
    integer :: dim
    dim = 0
    if (associated(self%state)) dim = self%state%dim
  end function dim_of

  pure function ncomp_of(self) result(ncomp)
    class(nis_sampler), intent(in) :: self
    integer :: ncomp
    ncomp = 0
    if (associated(self%state)) ncomp = self%state%ncomp
  end function ncomp_of

  ! Whether there is a handle, and nothing is wrong yet; else the sentence says what
  function usable(self, sentence) result(is)
    class(nis_sampler), intent(in) :: self
    character(:), allocatable, intent(inout) :: sentence
    logical :: is
    if (.not. associated(self%state)) sentence = 'this sampler has not been created'
    is = .not. allocated(sentence)
  end function usable

  ! A result without a run
  subroutine spoil(result)
    type(nis_result), intent(out) :: result
    result%status = nis_invalid
    result%value = ieee_value(result%value, ieee_quiet_nan)
    result%error = result%value
  end subroutine spoil

  ! Trains on a share of options%calls and integrates with the rest
  subroutine run(self, result, status, message)
    class(nis_sampler), intent(inout) :: self
    type(nis_result), intent(out) :: result
    integer, intent(out), optional :: status
    character(:), allocatable, intent(out), optional :: message
    character(:), allocatable :: sentence
    integer :: code
    call spoil(result)
    code = nis_invalid
    if (usable(self, sentence)) then
      code = c_run(self%state%handle, result, c_sizeof(result))
      call explain(code, sentence)
    end if
    call tell(code, sentence, status, present(message))
    if (present(message)) message = sentence
  end subroutine run

  subroutine train(self, calls, status, message)
    class(nis_sampler), intent(inout) :: self
    class(*), intent(in) :: calls
    integer, intent(out), optional :: status
    character(:), allocatable, intent(out), optional :: message
    character(:), allocatable :: sentence
    integer(int64) :: n
    integer :: code
    call whole(calls, 'calls', n, sentence)
    code = nis_invalid
    if (usable(self, sentence)) then
      code = c_train(self%state%handle, n)
      call explain(code, sentence)
    end if
    call tell(code, sentence, status, present(message))
    if (present(message)) message = sentence
  end subroutine train

  subroutine estimate(self, calls, result, status, message)
    class(nis_sampler), intent(inout) :: self
    class(*), intent(in) :: calls
    type(nis_result), intent(out) :: result
    integer, intent(out), optional :: status
    character(:), allocatable, intent(out), optional :: message
    character(:), allocatable :: sentence
    integer(int64) :: n
    integer :: code
    call spoil(result)
    call whole(calls, 'calls', n, sentence)
    code = nis_invalid
    if (usable(self, sentence)) then
      code = c_estimate(self%state%handle, n, result, c_sizeof(result))
      call explain(code, sentence)
    end if
    call tell(code, sentence, status, present(message))
    if (present(message)) message = sentence
  end subroutine estimate

  ! Part number `part` of 1 .. parts
  subroutine estimate_part(self, calls, part, parts, result, status, message)
    class(nis_sampler), intent(inout) :: self
    class(*), intent(in) :: calls
    integer, intent(in) :: part, parts
    type(nis_result), intent(out) :: result
    integer, intent(out), optional :: status
    character(:), allocatable, intent(out), optional :: message
    character(:), allocatable :: sentence
    integer(int64) :: n
    integer :: code
    call spoil(result)
    call whole(calls, 'calls', n, sentence)
    code = nis_invalid
    if (usable(self, sentence)) then
      code = c_estimate_part(self%state%handle, n, part, parts, result, c_sizeof(result))
      call explain(code, sentence)
    end if
    call tell(code, sentence, status, present(message))
    if (present(message)) message = sentence
  end subroutine estimate_part

  ! The estimate so far, without a call
  subroutine current(self, result, status, message)
    class(nis_sampler), intent(in) :: self
    type(nis_result), intent(out) :: result
    integer, intent(out), optional :: status
    character(:), allocatable, intent(out), optional :: message
    character(:), allocatable :: sentence
    integer :: code
    call spoil(result)
    code = nis_invalid
    if (usable(self, sentence)) then
      code = c_current(self%state%handle, result, c_sizeof(result))
      call explain(code, sentence)
    end if
    call tell(code, sentence, status, present(message))
    if (present(message)) message = sentence
  end subroutine current

  subroutine drop_estimate(self, status, message)
    class(nis_sampler), intent(inout) :: self
    integer, intent(out), optional :: status
    character(:), allocatable, intent(out), optional :: message
    character(:), allocatable :: sentence
    integer :: code
    code = nis_invalid
    if (usable(self, sentence)) then
      code = c_drop_estimate(self%state%handle)
      call explain(code, sentence)
    end if
    call tell(code, sentence, status, present(message))
    if (present(message)) message = sentence
  end subroutine drop_estimate

  ! The other's estimate joins this one
  subroutine merge_with(self, other, status, message)
    class(nis_sampler), intent(inout) :: self
    class(nis_sampler), intent(in) :: other
    integer, intent(out), optional :: status
    character(:), allocatable, intent(out), optional :: message
    character(:), allocatable :: sentence
    integer :: code
    code = nis_invalid
    if (usable(self, sentence)) then
      code = c_merge(self%state%handle, other%handle())
      call explain(code, sentence)
    end if
    call tell(code, sentence, status, present(message))
    if (present(message)) message = sentence
  end subroutine merge_with

  ! All components and their errors, (ncomp) each
  subroutine values(self, all, errors, status, message)
    class(nis_sampler), intent(in) :: self
    real(c_double), intent(out), contiguous :: all(:), errors(:)
    integer, intent(out), optional :: status
    character(:), allocatable, intent(out), optional :: message
    character(:), allocatable :: sentence
    integer :: code
    all = 0
    errors = 0
    call check_size(size(all), self%ncomp(), 'values', sentence)
    call check_size(size(errors), self%ncomp(), 'errors', sentence)
    code = nis_invalid
    if (usable(self, sentence)) then
      code = c_values(self%state%handle, all, errors)
      call explain(code, sentence)
    end if
    call tell(code, sentence, status, present(message))
    if (present(message)) message = sentence
  end subroutine values

  ! (ncomp, ncomp)
  subroutine covariance(self, matrix, status, message)
    class(nis_sampler), intent(in) :: self
    real(c_double), intent(out), contiguous :: matrix(:, :)
    integer, intent(out), optional :: status
    character(:), allocatable, intent(out), optional :: message
    character(:), allocatable :: sentence
    integer :: code
    matrix = 0
    call check_size(size(matrix, 1), self%ncomp(), 'a column of the covariance', sentence)
    call check_size(size(matrix, 2), self%ncomp(), 'a row of the covariance', sentence)
    code = nis_invalid
    if (usable(self, sentence)) then
      code = c_covariance(self%state%handle, matrix)
      call explain(code, sentence)
    end if
    call tell(code, sentence, status, present(message))
    if (present(message)) message = sentence
  end subroutine covariance

  ! value_i / value_j of the components, which are counted from 1
  subroutine ratio(self, i, j, value, error, status, message)
    class(nis_sampler), intent(in) :: self
    integer, intent(in) :: i, j
    real(c_double), intent(out) :: value, error
    integer, intent(out), optional :: status
    character(:), allocatable, intent(out), optional :: message
    character(:), allocatable :: sentence
    integer :: code
    value = 0
    error = 0
    if (min(i, j) < 1 .or. max(i, j) > self%ncomp()) &
      sentence = 'components are 1 .. '//trim(decimal(int(self%ncomp(), int64)))//', got '// &
            trim(decimal(int(i, int64)))//' and '//trim(decimal(int(j, int64)))
    code = nis_invalid
    if (usable(self, sentence)) then
      code = c_ratio(self%state%handle, int(i - 1, c_size_t), int(j - 1, c_size_t), value, error)
      call explain(code, sentence)
    end if
    call tell(code, sentence, status, present(message))
    if (present(message)) message = sentence
  end subroutine ratio

  ! Of channel 0 .. channels-1, the value of the last coordinate
  subroutine channel(self, number, r, status, message)
    class(nis_sampler), intent(in) :: self
    integer, intent(in) :: number
    type(nis_channel_result), intent(out) :: r
    integer, intent(out), optional :: status
    character(:), allocatable, intent(out), optional :: message
    character(:), allocatable :: sentence
    integer :: code
    code = nis_invalid
    if (usable(self, sentence)) then
      code = c_channel(self%state%handle, int(number, c_size_t), r, c_sizeof(r))
      call explain(code, sentence)
    end if
    call tell(code, sentence, status, present(message))
    if (present(message)) message = sentence
  end subroutine channel

  ! sum_c coefficients(c) value_c
  subroutine combine(self, coefficients, value, error, status, message)
    class(nis_sampler), intent(in) :: self
    real(c_double), intent(in), contiguous :: coefficients(:)
    real(c_double), intent(out) :: value, error
    integer, intent(out), optional :: status
    character(:), allocatable, intent(out), optional :: message
    character(:), allocatable :: sentence
    integer :: code
    value = 0
    error = 0
    call check_size(size(coefficients), self%ncomp(), 'coefficients', sentence)
    code = nis_invalid
    if (usable(self, sentence)) then
      code = c_combine(self%state%handle, coefficients, value, error)
      call explain(code, sentence)
    end if
    call tell(code, sentence, status, present(message))
    if (present(message)) message = sentence
  end subroutine combine

  ! Fills x(dim, n) with points of the flow; without weight the integrand is not called
  subroutine sample(self, x, log_q, weight, status, message)
    class(nis_sampler), intent(inout) :: self
    real(c_double), intent(out), contiguous :: x(:, :)
    real(c_double), intent(out), contiguous, optional, target :: log_q(:), weight(:)
    integer, intent(out), optional :: status
    character(:), allocatable, intent(out), optional :: message
    character(:), allocatable :: sentence
    type(c_ptr) :: c_log_q, c_weight
    integer :: code
    c_log_q = c_null_ptr
    c_weight = c_null_ptr
    call check_size(size(x, 1), self%dim(), 'a point of x', sentence)
    if (present(log_q)) then
      call check_size(size(log_q), size(x, 2), 'log_q', sentence)
      if (size(log_q) > 0) c_log_q = c_loc(log_q(1))
    end if
    if (present(weight)) then
      call check_size(size(weight), size(x, 2), 'weight', sentence)
      if (size(weight) > 0) c_weight = c_loc(weight(1))
    end if
    code = nis_invalid
    if (usable(self, sentence)) then
      code = c_sample(self%state%handle, size(x, 2, c_size_t), x, c_log_q, c_weight)
      call explain(code, sentence)
    end if
    call tell(code, sentence, status, present(message))
    if (present(message)) message = sentence
  end subroutine sample

  ! log q at given points x(dim, n)
  subroutine density(self, x, log_q, status, message)
    class(nis_sampler), intent(inout) :: self
    real(c_double), intent(in), contiguous :: x(:, :)
    real(c_double), intent(out), contiguous :: log_q(:)
    integer, intent(out), optional :: status
    character(:), allocatable, intent(out), optional :: message
    character(:), allocatable :: sentence
    integer :: code
    log_q = 0
    call check_size(size(x, 1), self%dim(), 'a point of x', sentence)
    call check_size(size(log_q), size(x, 2), 'log_q', sentence)
    code = nis_invalid
    if (usable(self, sentence)) then
      code = c_density(self%state%handle, size(x, 2, c_size_t), x, log_q)
      call explain(code, sentence)
    end if
    call tell(code, sentence, status, present(message))
    if (present(message)) message = sentence
  end subroutine density

  subroutine save_to(self, path, status, message)
    class(nis_sampler), intent(in) :: self
    character(*), intent(in) :: path
    integer, intent(out), optional :: status
    character(:), allocatable, intent(out), optional :: message
    character(:), allocatable :: sentence
    integer :: code
    code = nis_invalid
    if (usable(self, sentence)) then
      code = c_save(self%state%handle, c_text(path))
      call explain(code, sentence)
    end if
    call tell(code, sentence, status, present(message))
    if (present(message)) message = sentence
  end subroutine save_to

  ! What is in a file, without an integrand
  subroutine nis_inspect(path, saved, status, message)
    character(*), intent(in) :: path
    type(nis_saved), intent(out) :: saved
    integer, intent(out), optional :: status
    character(:), allocatable, intent(out), optional :: message
    type(plain_saved), target :: c
    type(c_ptr) :: at
    character(:), allocatable :: sentence
    integer :: code
    code = c_inspect(c_text(path), c, c_sizeof(c%options), c_sizeof(c%result))
    saved%name = ''
    if (code >= 0) then
      at = c_loc(c%name) ! gfortran 12 would pass the length of a string on, were it the argument
      call copy_text(at, saved%name)
      saved%dim = int(c%options%dim)
      saved%stored = c%stored
      call take_numbers(c%options, saved%options)
      saved%result = c%result
    end if
    call explain(code, sentence)
    call tell(code, sentence, status, present(message))
    if (present(message)) message = sentence
  end subroutine nis_inspect

  ! ---- events ------------------------------------------------------------------------------------

  ! Unweighted events into the file options%path, or for the procedure options%sink, or both
  subroutine events_to_options(self, options, summary, status, message)
    class(nis_sampler), intent(inout) :: self
    type(nis_event_options), intent(in) :: options
    type(nis_event_summary), intent(out), optional :: summary
    integer, intent(out), optional :: status
    character(:), allocatable, intent(out), optional :: message
    type(event_calls) :: calls
    character(:), allocatable :: sentence
    integer :: code
    calls%sink => options%sink
    calls%particles => options%particles
    call make_events(self, options, calls, summary, code, sentence)
    call tell(code, sentence, status, present(message))
    if (present(message)) message = sentence
  end subroutine events_to_options

  ! Unweighted events for an object, and a file if there is a path
  subroutine events_to_object(self, sink, options, summary, status, message)
    class(nis_sampler), intent(inout) :: self
    class(nis_event_sink), intent(inout), target :: sink
    type(nis_event_options), intent(in) :: options
    type(nis_event_summary), intent(out), optional :: summary
    integer, intent(out), optional :: status
    character(:), allocatable, intent(out), optional :: message
    type(event_calls) :: calls
    character(:), allocatable :: sentence
    integer :: code
    calls%object => sink
    calls%particles => options%particles
    call make_events(self, options, calls, summary, code, sentence)
    call tell(code, sentence, status, present(message))
    if (present(message)) message = sentence
  end subroutine events_to_object

  subroutine make_events(self, options, calls, summary, code, sentence)
    class(nis_sampler), intent(inout) :: self
    type(nis_event_options), intent(in) :: options
    type(event_calls), intent(in), target :: calls
    type(nis_event_summary), intent(out), optional :: summary
    integer, intent(out) :: code
    character(:), allocatable, intent(out) :: sentence
    type(passed_event_options), target :: p
    type(nis_event_summary) :: made
    code = nis_invalid
    if (.not. usable(self, sentence)) return
    call pass_event_options(options, p)
    p%c%sink_params = c_loc(calls)
    p%c%particles_params = c_loc(calls)
    if (associated(calls%object)) p%c%sink = c_funloc(call_event_sink)
    code = c_events(self%state%handle, p%c, made, c_sizeof(p%c), c_sizeof(made))
    call explain(code, sentence)
    if (present(summary)) summary = made
  end subroutine make_events

  ! The next event; of the options those that C's nis_next_event knows
  subroutine next_event(self, event, options, status, message)
    class(nis_sampler), intent(inout) :: self
    type(nis_pulled_event), intent(out) :: event
    type(nis_event_options), intent(in), optional :: options
    integer, intent(out), optional :: status
    character(:), allocatable, intent(out), optional :: message
    type(passed_event_options), target :: p
    type(plain_pulled_event) :: c
    character(:), allocatable :: sentence
    integer :: code
    code = nis_invalid
    if (usable(self, sentence)) then
      if (present(options)) call pass_event_options(options, p)
      code = c_next_event(self%state%handle, p%c, c, c_sizeof(p%c), c_sizeof(c))
      if (c_associated(c%x)) call c_f_pointer(c%x, event%x, [c%dim])
      if (c_associated(c%outputs)) call c_f_pointer(c%outputs, event%outputs, [self%state%extra])
      event%weight = c%weight
      event%log_q = c%log_q
      event%trials = c%trials
      event%calls = c%calls
      event%unit = c%unit
      event%w_max = c%w_max
      call explain(code, sentence)
    end if
    call tell(code, sentence, status, present(message))
    if (present(message)) message = sentence
  end subroutine next_event

  ! Could `events` begin with these options?
  subroutine nis_check_events(options, status, message)
    type(nis_event_options), intent(in) :: options
    integer, intent(out), optional :: status
    character(:), allocatable, intent(out), optional :: message
    type(passed_event_options), target :: p
    character(:), allocatable :: sentence
    integer :: code
    call pass_event_options(options, p)
    code = c_check_events(p%c, c_sizeof(p%c))
    call explain(code, sentence)
    call tell(code, sentence, status, present(message))
    if (present(message)) message = sentence
  end subroutine nis_check_events

  ! Can files of this format be written here?
  subroutine nis_check_format(format, status, message)
    integer, intent(in) :: format
    integer, intent(out), optional :: status
    character(:), allocatable, intent(out), optional :: message
    character(:), allocatable :: sentence
    integer :: code
    code = c_check_format(format)
    call explain(code, sentence)
    call tell(code, sentence, status, present(message))
    if (present(message)) message = sentence
  end subroutine nis_check_format

  ! Files of events of one estimate one behind the other; trailing blanks of names do not count
  subroutine nis_merge_events(paths, path, force, status, message)
    character(*), intent(in) :: paths(:)
    character(*), intent(in) :: path
    logical, intent(in), optional :: force
    integer, intent(out), optional :: status
    character(:), allocatable, intent(out), optional :: message
    character(kind=c_char), target :: kept(len(paths) + 1, size(paths))
    type(c_ptr) :: c(size(paths))
    integer(c_int) :: replace
    character(:), allocatable :: sentence
    integer :: i, code
    do i = 1, size(paths)
      kept(:len_trim(paths(i)) + 1, i) = c_text(paths(i))
      c(i) = c_loc(kept(1, i))
    end do
    replace = 0
    if (present(force)) replace = flag(force)
    code = c_merge_events(c, size(paths, kind=c_size_t), c_text(path), replace)
    call explain(code, sentence)
    call tell(code, sentence, status, present(message))
    if (present(message)) message = sentence
  end subroutine nis_merge_events

  ! ---- all in one --------------------------------------------------------------------------------

  ! The options that are arguments of nis_integrate stand before those in `options`. (Arrays
  ! are not handed on: gfortran 12 reads the bounds of those that are absent.)
  subroutine gather(o, sentence, options, calls, rel_error, abs_error, max_seconds, seed, threads, &
                    serial)
    type(nis_options), intent(inout) :: o
    character(:), allocatable, intent(inout) :: sentence
    type(nis_options), intent(in), optional :: options
    class(*), intent(in), optional :: calls, seed
    real(c_double), intent(in), optional :: rel_error, abs_error, max_seconds
    integer, intent(in), optional :: threads
    logical, intent(in), optional :: serial
    if (present(options)) o = options
    if (present(calls)) call whole(calls, 'calls', o%calls, sentence)
    if (present(rel_error)) o%rel_error = rel_error
    if (present(abs_error)) o%abs_error = abs_error
    if (present(max_seconds)) o%max_seconds = max_seconds
    if (present(seed)) call whole(seed, 'seed', o%seed, sentence)
    if (present(threads)) o%threads = threads
    if (present(serial)) o%serial = serial
  end subroutine gather

  ! Makes a sampler of s, which is freed, and runs it, unless a sentence says what is wrong
  subroutine integrate(s, dim, ncomp, o, result, got, with_covariance, code, sentence)
    type(state), pointer, intent(in) :: s
    integer, intent(in) :: dim, ncomp
    type(nis_options), intent(in) :: o
    type(nis_result), intent(out) :: result
    type(components), intent(out) :: got
    logical, intent(in) :: with_covariance
    integer, intent(out) :: code
    character(:), allocatable, intent(inout) :: sentence
    type(nis_sampler) :: sampler
    type(state), pointer :: unused
    call spoil(result)
    code = nis_invalid
    if (allocated(sentence)) then
      unused => s
      deallocate (unused)
      return
    end if
    call make(sampler, s, by_create, dim, ncomp, o, '', code, sentence)
    if (code >= 0) then
      call sampler%run(result, code)
      call explain(code, sentence)
    end if
    if (code >= 0) call get_components(sampler, got, with_covariance, code, sentence)
    if (code < 0) result%status = code
    call sampler%free()
  end subroutine integrate

  ! code and sentence stay as they are where nothing is wrong
  subroutine get_components(sampler, got, with_covariance, code, sentence)
    type(nis_sampler), intent(in) :: sampler
    type(components), intent(inout) :: got
    logical, intent(in) :: with_covariance
    integer, intent(inout) :: code
    character(:), allocatable, intent(inout) :: sentence
    integer :: n, status
    n = sampler%ncomp()
    allocate (got%values(n), got%errors(n), got%covariance(0, 0))
    call sampler%values(got%values, got%errors, status)
    if (status >= 0 .and. with_covariance) then
      deallocate (got%covariance)
      allocate (got%covariance(n, n))
      call sampler%covariance(got%covariance, status)
    end if
    if (status >= 0) return
    code = status
    call explain(code, sentence)
  end subroutine get_components

  ! Into the caller's array, where all went well and that has the right size
  subroutine give(from, name, to, code, sentence)
    real(c_double), allocatable, intent(in) :: from(:)
    character(*), intent(in) :: name
    real(c_double), intent(out) :: to(:)
    integer, intent(inout) :: code
    character(:), allocatable, intent(inout) :: sentence
    character(:), allocatable :: wrong
    to = ieee_value(0._c_double, ieee_quiet_nan)
    if (code < 0) return
    call check_size(size(to), size(from), name, wrong)
    if (allocated(wrong)) then
      code = nis_invalid
      sentence = wrong
    else
      to = from
    end if
  end subroutine give

  subroutine give_matrix(from, to, code, sentence)
    real(c_double), allocatable, intent(in) :: from(:, :)
    real(c_double), intent(out) :: to(:, :)
    integer, intent(inout) :: code
    character(:), allocatable, intent(inout) :: sentence
    character(:), allocatable :: wrong
    to = ieee_value(0._c_double, ieee_quiet_nan)
    if (code < 0) return
    call check_size(size(to, 1), size(from, 1), 'a column of the covariance', wrong)
    call check_size(size(to, 2), size(from, 2), 'a row of the covariance', wrong)
    if (allocated(wrong)) then
      code = nis_invalid
      sentence = wrong
    else
      to = from
    end if
  end subroutine give_matrix

  ! Trains on a share of the calls, integrates with the rest. calls may be written 1e6.
  subroutine integrate_scalar(f, dim, result, calls, rel_error, abs_error, seed, threads, lower, &
                              upper, periodic, serial, max_seconds, options, status, message)
    procedure(nis_scalar_call) :: f
    integer, intent(in) :: dim
    type(nis_result), intent(out) :: result
    class(*), intent(in), optional :: calls, seed
    real(c_double), intent(in), optional :: rel_error, abs_error, max_seconds, lower(:), upper(:)
    integer, intent(in), optional :: threads
    logical, intent(in), optional :: periodic(:), serial
    type(nis_options), intent(in), optional :: options
    integer, intent(out), optional :: status
    character(:), allocatable, intent(out), optional :: message
    type(nis_options) :: o
    type(components) :: got
    character(:), allocatable :: sentence
    integer :: code
    call gather(o, sentence, options, calls, rel_error, abs_error, max_seconds, seed, threads, &
                serial)
    if (present(lower)) o%lower = lower
    if (present(upper)) o%upper = upper
    if (present(periodic)) o%periodic = periodic
    call integrate(of_scalar(f), dim, 1, o, result, got, .false., code, sentence)
    call tell(code, sentence, status, present(message))
    if (present(message)) message = sentence
  end subroutine integrate_scalar

  ! ncomp values a point; all of them, their errors and covariance where they are wanted
  subroutine integrate_vector(f, dim, ncomp, result, values, errors, covariance, calls, rel_error, &
                              abs_error, seed, threads, lower, upper, periodic, serial, &
                              max_seconds, options, status, message)
    procedure(nis_vector_call) :: f
    integer, intent(in) :: dim, ncomp
    type(nis_result), intent(out) :: result
    real(c_double), intent(out), optional :: values(:), errors(:), covariance(:, :)
    class(*), intent(in), optional :: calls, seed
    real(c_double), intent(in), optional :: rel_error, abs_error, max_seconds, lower(:), upper(:)
    integer, intent(in), optional :: threads
    logical, intent(in), optional :: periodic(:), serial
    type(nis_options), intent(in), optional :: options
    integer, intent(out), optional :: status
    character(:), allocatable, intent(out), optional :: message
    type(nis_options) :: o
    type(components) :: got
    character(:), allocatable :: sentence
    integer :: code
    call gather(o, sentence, options, calls, rel_error, abs_error, max_seconds, seed, threads, &
                serial)
    if (present(lower)) o%lower = lower
    if (present(upper)) o%upper = upper
    if (present(periodic)) o%periodic = periodic
    call integrate(of_vector(f), dim, ncomp, o, result, got, present(covariance), code, &
                   sentence)
    if (present(values)) call give(got%values, 'values', values, code, sentence)
    if (present(errors)) call give(got%errors, 'errors', errors, code, sentence)
    if (present(covariance)) call give_matrix(got%covariance, covariance, code, sentence)
    call tell(code, sentence, status, present(message))
    if (present(message)) message = sentence
  end subroutine integrate_vector

  ! The same with many points a call
  subroutine nis_integrate_batch(f, dim, ncomp, result, values, errors, covariance, calls, &
                                 rel_error, abs_error, seed, threads, lower, upper, periodic, &
                                 serial, max_seconds, options, status, message)
    procedure(nis_batch_call) :: f
    integer, intent(in) :: dim, ncomp
    type(nis_result), intent(out) :: result
    real(c_double), intent(out), optional :: values(:), errors(:), covariance(:, :)
    class(*), intent(in), optional :: calls, seed
    real(c_double), intent(in), optional :: rel_error, abs_error, max_seconds, lower(:), upper(:)
    integer, intent(in), optional :: threads
    logical, intent(in), optional :: periodic(:), serial
    type(nis_options), intent(in), optional :: options
    integer, intent(out), optional :: status
    character(:), allocatable, intent(out), optional :: message
    type(nis_options) :: o
    type(components) :: got
    character(:), allocatable :: sentence
    integer :: code
    call gather(o, sentence, options, calls, rel_error, abs_error, max_seconds, seed, threads, &
                serial)
    if (present(lower)) o%lower = lower
    if (present(upper)) o%upper = upper
    if (present(periodic)) o%periodic = periodic
    call integrate(of_batch(f), dim, ncomp, o, result, got, present(covariance), code, &
                   sentence)
    if (present(values)) call give(got%values, 'values', values, code, sentence)
    if (present(errors)) call give(got%errors, 'errors', errors, code, sentence)
    if (present(covariance)) call give_matrix(got%covariance, covariance, code, sentence)
    call tell(code, sentence, status, present(message))
    if (present(message)) message = sentence
  end subroutine nis_integrate_batch

  ! An object of any of the three kinds; options%ncomp says how many values a point it has
  subroutine integrate_object(f, dim, result, values, errors, covariance, calls, rel_error, &
                              abs_error, seed, threads, lower, upper, periodic, serial, &
                              max_seconds, options, status, message)
    class(nis_any_integrand), intent(in) :: f
    integer, intent(in) :: dim
    type(nis_result), intent(out) :: result
    real(c_double), intent(out), optional :: values(:), errors(:), covariance(:, :)
    class(*), intent(in), optional :: calls, seed
    real(c_double), intent(in), optional :: rel_error, abs_error, max_seconds, lower(:), upper(:)
    integer, intent(in), optional :: threads
    logical, intent(in), optional :: periodic(:), serial
    type(nis_options), intent(in), optional :: options
    integer, intent(out), optional :: status
    character(:), allocatable, intent(out), optional :: message
    type(nis_options) :: o
    type(components) :: got
    character(:), allocatable :: sentence
    integer :: code
    call gather(o, sentence, options, calls, rel_error, abs_error, max_seconds, seed, threads, &
                serial)
    if (present(lower)) o%lower = lower
    if (present(upper)) o%upper = upper
    if (present(periodic)) o%periodic = periodic
    call integrate(of_object(f), dim, 0, o, result, got, present(covariance), code, &
                   sentence)
    if (present(values)) call give(got%values, 'values', values, code, sentence)
    if (present(errors)) call give(got%errors, 'errors', errors, code, sentence)
    if (present(covariance)) call give_matrix(got%covariance, covariance, code, sentence)
    call tell(code, sentence, status, present(message))
    if (present(message)) message = sentence
  end subroutine integrate_object

end module nis
