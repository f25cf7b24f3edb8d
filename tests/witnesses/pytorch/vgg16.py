"""VGG16 (Simonyan and Zisserman 2014, configuration D) by hand, as PyTorch is usually written."""

from torch import Tensor, nn


def block(channels: int, filters: int, convolutions: int) -> list[nn.Module]:
    """3×3 convolutions with their rectifiers, then a 2×2 max pool."""
    layers: list[nn.Module] = []
    for number in range(convolutions):
        layers += [nn.Conv2d(filters if number else channels, filters, 3, padding=1), nn.ReLU(inplace=True)]
    return [*layers, nn.MaxPool2d(2)]


class VGG16(nn.Module):
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
            nn.ReLU(inplace=True),
            nn.Dropout(0.5),
            nn.Linear(4096, 4096),
            nn.ReLU(inplace=True),
            nn.Dropout(0.5),
            nn.Linear(4096, classes),
        )

    def forward(self, x: Tensor) -> list[Tensor]:
        return [self.classifier(self.features(x))]
