"""GoogLeNet (Szegedy et al. 2014, Table 1) by hand, as PaddlePaddle is usually written."""

import paddle
from paddle import Tensor, nn


class Conv(nn.Sequential):
    """A convolution with its rectifier."""

    def __init__(self, channels: int, filters: int, kernel: int, stride: int = 1, padding: int = 0) -> None:
        super().__init__(nn.Conv2D(channels, filters, kernel, stride, padding), nn.ReLU())


class Inception(nn.Layer):
    """Four branches side by side (Figure 2b)."""

    def __init__(
        self,
        channels: int,
        one: int,
        three_reduce: int,
        three: int,
        five_reduce: int,
        five: int,
        pool: int,
    ) -> None:
        super().__init__()
        self.one = Conv(channels, one, 1)
        self.three = nn.Sequential(Conv(channels, three_reduce, 1), Conv(three_reduce, three, 3, padding=1))
        self.five = nn.Sequential(Conv(channels, five_reduce, 1), Conv(five_reduce, five, 5, padding=2))
        self.pool = nn.Sequential(nn.MaxPool2D(3, stride=1, padding=1), Conv(channels, pool, 1))

    def forward(self, x: Tensor) -> Tensor:
        return paddle.concat([self.one(x), self.three(x), self.five(x), self.pool(x)], axis=1)


class Auxiliary(nn.Sequential):
    """A side classifier (section 5)."""

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__(
            nn.AvgPool2D(5, stride=3),
            Conv(channels, 128, 1),
            nn.Flatten(),
            nn.Linear(2048, 1024),
            nn.ReLU(),
            nn.Dropout(0.7),
            nn.Linear(1024, classes),
        )


class GoogLeNet(nn.Layer):
    """Logits of images (batch, 3, 224, 224); while training, also those of the two side classifiers."""

    def __init__(self, classes: int = 1000) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            Conv(3, 64, 7, stride=2, padding=3),
            nn.MaxPool2D(3, stride=2, ceil_mode=True),
            nn.LocalResponseNorm(5),
            Conv(64, 64, 1),
            Conv(64, 192, 3, padding=1),
            nn.LocalResponseNorm(5),
            nn.MaxPool2D(3, stride=2, ceil_mode=True),
        )
        self.inception3 = nn.Sequential(
            Inception(192, 64, 96, 128, 16, 32, 32),
            Inception(256, 128, 128, 192, 32, 96, 64),
            nn.MaxPool2D(3, stride=2, ceil_mode=True),
        )
        self.inception4a = Inception(480, 192, 96, 208, 16, 48, 64)
        self.auxiliary1 = Auxiliary(512, classes)
        self.inception4bcd = nn.Sequential(
            Inception(512, 160, 112, 224, 24, 64, 64),
            Inception(512, 128, 128, 256, 24, 64, 64),
            Inception(512, 112, 144, 288, 32, 64, 64),
        )
        self.auxiliary2 = Auxiliary(528, classes)
        self.inception4e = nn.Sequential(
            Inception(528, 256, 160, 320, 32, 128, 128),
            nn.MaxPool2D(3, stride=2, ceil_mode=True),
        )
        self.inception5 = nn.Sequential(
            Inception(832, 256, 160, 320, 32, 128, 128),
            Inception(832, 384, 192, 384, 48, 128, 128),
        )
        self.classifier = nn.Sequential(
            nn.AdaptiveAvgPool2D(1), nn.Flatten(), nn.Dropout(0.4), nn.Linear(1024, classes)
        )

    def forward(self, x: Tensor) -> list[Tensor]:
        a = self.inception4a(self.inception3(self.stem(x)))
        d = self.inception4bcd(a)
        logits = self.classifier(self.inception5(self.inception4e(d)))
        return [logits, self.auxiliary1(a), self.auxiliary2(d)] if self.training else [logits]
