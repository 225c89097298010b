// The rear camera as a stream, and a still of it: the sensor's own JPEG where the browser gives one, else the frame shown.
import { onScopeDispose, ref, shallowRef } from 'vue'

export type CameraTrouble = 'denied' | 'absent' | 'busy'

interface StillCamera {
  takePhoto(): Promise<Blob>
}
declare const ImageCapture: (new (track: MediaStreamTrack) => StillCamera) | undefined

const SENSOR_PATIENCE = 3_000
const FRAME_QUALITY = 0.92

export function useCamera() {
  const stream = shallowRef<MediaStream | null>(null)
  const trouble = ref<CameraTrouble | null>(null)
  const hasLight = ref(false)
  const light = ref(false)
  let sensor: StillCamera | null = null
  let wanted = 0

  async function start(): Promise<void> {
    const mine = ++wanted
    trouble.value = null
    try {
      if (!navigator.mediaDevices?.getUserMedia) throw new DOMException('no camera here', 'NotFoundError')
      const video = { facingMode: { ideal: 'environment' }, width: { ideal: 4096 }, height: { ideal: 3072 } }
      const found = await navigator.mediaDevices.getUserMedia({ video, audio: false })
      if (mine !== wanted) return end(found)
      const track = found.getVideoTracks()[0]!
      track.addEventListener('ended', () => {
        if (stream.value === found) trouble.value = 'busy'
      })
      sensor = typeof ImageCapture === 'undefined' ? null : new ImageCapture(track)
      hasLight.value = (track.getCapabilities?.() as { torch?: boolean } | undefined)?.torch ?? false
      stream.value = found
    } catch (wrong) {
      if (mine === wanted) trouble.value = troubleOf(wrong)
    }
  }

  function stop(): void {
    wanted += 1
    if (stream.value) end(stream.value)
    stream.value = null
    sensor = null
    light.value = false
  }

  async function setLight(on: boolean): Promise<void> {
    const track = stream.value?.getVideoTracks()[0]
    try {
      await track?.applyConstraints({ advanced: [{ torch: on } as MediaTrackConstraintSet] })
      light.value = on
    } catch {
      hasLight.value = false
    }
  }

  /** `quick`: the frame as it is shown, for a burst. */
  async function still(video: HTMLVideoElement, quick = false): Promise<Blob> {
    if (sensor && !quick) {
      try {
        const late = new Promise<null>((resolve) => setTimeout(() => resolve(null), SENSOR_PATIENCE))
        const shot = await Promise.race([sensor.takePhoto(), late])
        if (shot && shot.size > 0) return shot
      } catch {
        // many phones only promise it
      }
      sensor = null
    }
    return frame(video)
  }

  onScopeDispose(stop)
  return { stream, trouble, hasLight, light, start, stop, setLight, still }
}

function end(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop()
}

function troubleOf(wrong: unknown): CameraTrouble {
  const name = wrong instanceof DOMException ? wrong.name : ''
  if (name === 'NotAllowedError' || name === 'SecurityError') return 'denied'
  return name === 'NotReadableError' || name === 'AbortError' ? 'busy' : 'absent'
}

async function frame(video: HTMLVideoElement): Promise<Blob> {
  const canvas = document.createElement('canvas')
  canvas.width = video.videoWidth
  canvas.height = video.videoHeight
  canvas.getContext('2d')!.drawImage(video, 0, 0)
  const made = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/jpeg', FRAME_QUALITY))
  canvas.width = 0
  if (!made) throw new Error('the camera gave no picture')
  return made
}
