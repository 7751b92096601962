// Somebody cut out: a JPEG of twice the height, colours above, and below how opaque they are, as grey.

const aside = document.createElement("canvas");
const context = aside.getContext("2d", { willReadFrequently: true });

/** The picture, transparent where nobody is. height: of the picture, half of the image's. */
export function transparent(image, height) {
  if (aside.width !== image.width || aside.height !== image.height) {
    aside.width = image.width;
    aside.height = image.height;
  }
  context.drawImage(image, 0, 0);
  const both = context.getImageData(0, 0, image.width, height * 2).data, half = image.width * height * 4;
  for (let at = 3; at < half; at += 4) both[at] = both[half + at - 1];
  return new ImageData(both.subarray(0, half), image.width, height);
}
