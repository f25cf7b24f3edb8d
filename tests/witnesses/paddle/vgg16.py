"""VGG16 (Simonyan and Zisserman 2014, configuration D) by hand, as PaddlePaddle is usually written."""

from paddle import Tensor, nn


def block(channels: int, filters: int, convolutions: int) -> list[nn.Layer]:
    """3×3 convolutions with their rectifiers, then a 2×2 max pool."""
    layers: list[nn.Layer] = []
    for number in range(convolutions):
        layers += [nn.Conv2D(filters if number else channels, filters, 3, padding=1), nn.ReLU()]
    return [*layers, nn.MaxPool2D(2)]


class VGG16(nn.Layer):
    """Logits of images (batch, 3, 224, 224)."""

    def __init__(self, classes: int = 1000) -> None:
        super().__init__()
        self.features = nn.Sequential(
            *block(3, 64, 2),
            *block(64, 128, 2),
            *block(128, 256, 3),
            *block(256, 512, 3),
            *block(512, 512, 3),
        )
        self.classifier = nn.Sequential(
            nn.Flatten(),
            nn.Linear(512 * 7 * 7, 4096),
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.Linear(4096, 4096),
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.Linear(4096, classes),
        )

    def forward(self, x: Tensor) -> list[Tensor]:
        return [self.classifier(self.features(x))]
