# ResNet-50 with the first ImageNet weights of torchvision, as in most published code.
backbone = dict(type="TimmCNN", model="resnet50.tv_in1k", pretrained=True)
