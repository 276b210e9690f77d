// A class whose objects travel: it is exported by a module that is shipped.
export class Rectangle {
  readonly width: number;
  readonly height: number;

  constructor(width: number, height: number) {
    this.width = width;
    this.height = height;
  }

  get area(): number {
    return this.width * this.height;
  }

  grow(by: number): Rectangle {
    return new Rectangle(this.width + by, this.height + by);
  }
}
