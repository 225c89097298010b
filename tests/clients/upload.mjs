// Sends files with tus-js-client as it comes from npm. Says on stdin what to send, on stdout what came of each.
import fs from "node:fs";
import { FileUrlStorage, Upload } from "tus-js-client";

const wanted = JSON.parse(fs.readFileSync(0, "utf8"));

function sent({ path, evidence_id, cut_at }) {
  return new Promise((resolve) => {
    const told = { url: null, from: null, offset: 0, error: null };
    const upload = new Upload(fs.createReadStream(path), {
      endpoint: wanted.endpoint,
      headers: wanted.headers,
      chunkSize: wanted.chunk ?? Infinity,
      uploadDataDuringCreation: wanted.during_creation ?? false,
      overridePatchMethod: wanted.override ?? false,
      retryDelays: [0, 100, 500, 1000],
      metadata: { evidence_id, filename: "照片.jpg" },
      urlStorage: new FileUrlStorage(wanted.store),
      storeFingerprintForResuming: true,
      onProgress: (bytes) => (told.from ??= bytes),
      onChunkComplete: (_size, accepted) => {
        told.offset = accepted;
        if (cut_at && accepted >= cut_at) {
          upload.abort().then(() => resolve({ ...told, url: upload.url, cut: true }));
        }
      },
      onSuccess: () => resolve({ ...told, url: upload.url }),
      onError: (error) => resolve({ ...told, error: error.originalResponse?.getStatus() ?? String(error) }),
    });
    upload.findPreviousUploads().then((earlier) => {
      if (earlier.length) upload.resumeFromPreviousUpload(earlier[0]);
      upload.start();
    });
  });
}

console.log(JSON.stringify(await Promise.all(wanted.files.map(sent))));
