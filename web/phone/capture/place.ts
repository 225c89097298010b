// Where the phone is while the camera is open, and not a second longer: points of photos, never a track.
import { onScopeDispose, ref, shallowRef } from 'vue'
import type { Position } from '../queue/model'

export interface Fix {
  position: Position
  /** The phone's clock when the device had it. */
  at: number
}

export type PlaceTrouble = 'denied' | 'absent' | 'no_fix'

/** An older point says nothing about where the shutter was. */
export const STALE_AFTER = 30_000

export function fixOf(found: GeolocationPosition): Fix {
  const { latitude, longitude, accuracy, altitude, heading, speed } = found.coords
  return {
    position: {
      lat: latitude,
      lng: longitude,
      accuracy_m: Math.min(Math.max(accuracy, 0.1), 100_000),
      altitude_m: altitude,
      heading_deg: heading !== null && Number.isFinite(heading) ? heading : null,
      speed_mps: speed,
    },
    at: found.timestamp,
  }
}

export function usePlace() {
  const fix = shallowRef<Fix | null>(null)
  const trouble = ref<PlaceTrouble | null>(null)
  let watching: number | null = null

  function start(): void {
    if (watching !== null) return
    if (!('geolocation' in navigator)) {
      trouble.value = 'absent'
      return
    }
    watching = navigator.geolocation.watchPosition(
      (found) => {
        fix.value = fixOf(found)
        trouble.value = null
      },
      (wrong) => {
        trouble.value = wrong.code === wrong.PERMISSION_DENIED ? 'denied' : 'no_fix'
      },
      { enableHighAccuracy: true, maximumAge: 0, timeout: 20_000 },
    )
  }

  function stop(): void {
    if (watching !== null) navigator.geolocation.clearWatch(watching)
    watching = null
  }

  /** The point of this moment, if the device has a recent one. */
  function here(now = Date.now()): Position | null {
    return fix.value && now - fix.value.at <= STALE_AFTER ? fix.value.position : null
  }

  /** One point, asked for by the person. */
  function once(): Promise<Fix | null> {
    if (!('geolocation' in navigator)) {
      trouble.value = 'absent'
      return Promise.resolve(null)
    }
    return new Promise((resolve) => {
      navigator.geolocation.getCurrentPosition(
        (found) => {
          fix.value = fixOf(found)
          trouble.value = null
          resolve(fix.value)
        },
        (wrong) => {
          trouble.value = wrong.code === wrong.PERMISSION_DENIED ? 'denied' : 'no_fix'
          resolve(null)
        },
        { enableHighAccuracy: true, maximumAge: 0, timeout: 15_000 },
      )
    })
  }

  onScopeDispose(stop)
  return { fix, trouble, start, stop, here, once }
}

/** One point when somebody asks for it; null when the phone gives none. */
export function positionNow(): Promise<Position | null> {
  if (!('geolocation' in navigator)) return Promise.resolve(null)
  return new Promise((resolve) => {
    const asked = { enableHighAccuracy: true, timeout: 15_000, maximumAge: 10_000 }
    navigator.geolocation.getCurrentPosition((found) => resolve(fixOf(found).position), () => resolve(null), asked)
  })
}
