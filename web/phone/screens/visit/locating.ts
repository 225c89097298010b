// Finding out where the phone is, once: watched only until one point is good enough, then the watch ends. Never a track.
import { computed, onScopeDispose, ref, shallowRef } from 'vue'
import { COARSE_M, distanceM, within, WORST_ACCURACY_M, type Point } from '@/shared/places'
import { fixOf, type Fix } from '../../capture/place'

/** Good enough at once; after SETTLED_MS whatever is not coarse will do. */
const FINE_M = 30
const SETTLED_MS = 8_000
const GIVE_UP_MS = 25_000

export type Trouble = 'denied' | 'absent' | 'no_fix' | 'too_poor'

export interface Target extends Point {
  radius_m: number
}

export interface Found {
  fix: Fix
  /** Metres to the target, as the server will measure them. */
  distance: number
  inside: boolean
  coarse: boolean
}

export function judge(fix: Fix, target: Target): Found {
  const distance = distanceM(target, fix.position)
  const accuracy = fix.position.accuracy_m
  return { fix, distance, inside: within(distance, target.radius_m, accuracy), coarse: accuracy > COARSE_M }
}

export function useLocating(target: () => Target) {
  const best = shallowRef<Fix | null>(null)
  const trouble = ref<Trouble | null>(null)
  const looking = ref(false)
  const found = computed(() => (best.value ? judge(best.value, target()) : null))
  let watch: number | null = null
  let timers: ReturnType<typeof setTimeout>[] = []
  let finish: (() => void) | null = null

  function stop(): void {
    if (watch !== null) navigator.geolocation.clearWatch(watch)
    watch = null
    timers.forEach(clearTimeout)
    timers = []
    looking.value = false
    finish?.()
    finish = null
  }

  /** Resolves with the best point when it is good enough or time is up; null with `trouble` saying why. */
  async function locate(): Promise<Found | null> {
    stop()
    best.value = null
    trouble.value = null
    if (!('geolocation' in navigator)) {
      trouble.value = 'absent'
      return null
    }
    looking.value = true
    const done = new Promise<void>((resolve) => (finish = resolve))
    timers = [setTimeout(() => best.value && best.value.position.accuracy_m <= COARSE_M && stop(), SETTLED_MS), setTimeout(stop, GIVE_UP_MS)]
    const began = Date.now()
    watch = navigator.geolocation.watchPosition(
      (position) => {
        const fix = fixOf(position)
        if (!best.value || fix.position.accuracy_m <= best.value.position.accuracy_m) best.value = fix
        const settled = Date.now() - began > SETTLED_MS && best.value.position.accuracy_m <= COARSE_M
        if (best.value.position.accuracy_m <= FINE_M || settled) stop()
      },
      (wrong) => {
        if (wrong.code === wrong.PERMISSION_DENIED) {
          trouble.value = 'denied'
          stop()
        }
      },
      { enableHighAccuracy: true, maximumAge: 0, timeout: GIVE_UP_MS },
    )
    await done
    const result = found.value
    if (!result) trouble.value ??= 'no_fix'
    else if (result.fix.position.accuracy_m > WORST_ACCURACY_M) trouble.value = 'too_poor'
    return trouble.value ? null : result
  }

  onScopeDispose(stop)
  return { found, trouble, looking, locate, stop }
}
